//! `rediss://`: an authority of one's own, a certificate for ourselves, and what is said where one of them does not fit.

use std::path::{Path, PathBuf};
use std::process::Command;

use crate::common::redis;
use diagnose::error::DiagnoseError;
use diagnose::look::DiagnoseOptions;
use diagnose::record::Diagnosis;
use diagnose::wire::target::RedisTarget;
use tls::files::TlsFiles;

/// An authority, and certificates by it for a server and a client; another authority, too. `None` where there is no openssl.
fn certificates(folder: &Path) -> Option<()> {
    let run = |words: &str| {
        let output = Command::new("openssl").args(words.split(' ')).current_dir(folder).output();
        match output {
            Ok(output) => assert!(output.status.success(), "{words}: {}", String::from_utf8_lossy(&output.stderr)),
            Err(_) => return None,
        }
        Some(())
    };
    std::fs::write(folder.join("server.ext"), "subjectAltName=IP:127.0.0.1,DNS:redis.example\n").unwrap();
    std::fs::write(folder.join("client.ext"), "extendedKeyUsage=clientAuth\n").unwrap();
    const KEY: &str = "-newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes";
    for authority in ["ca", "other"] {
        run(&format!("req -x509 {KEY} -days 2 -subj /CN={authority} -keyout {authority}.key -out {authority}.crt"))?;
    }
    for of in ["server", "client"] {
        run(&format!("req {KEY} -subj /CN={of} -keyout {of}.key -out {of}.csr"))?;
        run(&format!(
            "x509 -req -in {of}.csr -CA ca.crt -CAkey ca.key -CAcreateserial -days 2 -extfile {of}.ext -out {of}.crt"
        ))?;
    }
    Some(())
}

fn look(port: &str, files: TlsFiles) -> Result<Diagnosis, DiagnoseError> {
    let mut target = RedisTarget::parse(&format!("rediss://127.0.0.1:{port}"))?;
    target.tls = files;
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(diagnose::diagnose(&target, "rediss://shown", &DiagnoseOptions::default()))
}

#[test]
fn an_encrypted_server_is_looked_at_and_what_does_not_fit_is_told() {
    let folder = tempfile::tempdir().unwrap();
    if certificates(folder.path()).is_none() {
        return app::testing::skipped("no openssl");
    }
    let file = |name: &str| folder.path().join(name);
    let text = |name: &str| file(name).display().to_string();
    let port = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port().to_string();
    let (certificate, key, authority) = (text("server.crt"), text("server.key"), text("ca.crt"));
    let files = ["--tls-cert-file", &certificate, "--tls-key-file", &key, "--tls-ca-cert-file", &authority];
    let Some(server) = redis(&[&["--tls-port", port.as_str(), "--bind", "127.0.0.1"], &files[..]].concat()) else {
        return;
    };
    let own = |name: &str| Some((file(&format!("{name}.crt")), file(&format!("{name}.key"))));
    let good = TlsFiles { authority: Some(file("ca.crt")), own: own("client"), name: None };
    let diagnosis = look(&port, good.clone()).unwrap();
    assert_eq!((diagnosis.findings, diagnosis.server.role.as_deref()), (vec![], Some("primary")));
    look(&port, TlsFiles { name: Some("redis.example".into()), ..good.clone() }).unwrap();
    let authority = |path: PathBuf| Some(path);
    for (files, words) in [
        (TlsFiles { own: None, ..good.clone() }, "CertificateRequired"),
        (TlsFiles { authority: authority(file("other.crt")), ..good.clone() }, "UnknownIssuer"),
        (TlsFiles { name: Some("elsewhere.example".into()), ..good.clone() }, "certificate not valid for name"),
        (TlsFiles { name: Some("not a name".into()), ..good.clone() }, "none that a certificate can have"),
        (TlsFiles { authority: authority(file("absent.crt")), ..good.clone() }, "absent.crt: No such file"),
        (TlsFiles { authority: authority(file("ca.key")), ..good.clone() }, "ca.key: no certificate in PEM"),
        (TlsFiles { own: Some((file("client.crt"), file("client.crt"))), ..good.clone() }, "no private key in PEM"),
    ] {
        let said = look(&port, files).unwrap_err();
        assert!(
            matches!(said, DiagnoseError::Tls(_)) && said.to_string().contains(words),
            "{words:?} is not in {said}"
        );
    }
    // The wrong protocol on either side.
    let plain = crate::common::try_look(&format!("redis://127.0.0.1:{port}"), &DiagnoseOptions::default()).unwrap_err();
    assert!(!matches!(plain, DiagnoseError::Tls(_)), "{plain}");
    drop(server);
}
