//! `rediss://`: an authority of one's own, a certificate for ourselves, and what is said where one of them does not fit.

use std::path::PathBuf;

use app::testing::{EncryptedRedis, redis};
use diagnose::error::DiagnoseError;
use diagnose::look::DiagnoseOptions;
use diagnose::record::Diagnosis;
use diagnose::wire::target::RedisTarget;
use tls::files::TlsFiles;

fn look(port: u16, files: TlsFiles) -> Result<Diagnosis, DiagnoseError> {
    let mut target = RedisTarget::parse(&format!("rediss://127.0.0.1:{port}"))?;
    target.tls = files;
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(diagnose::diagnose(&target, "rediss://shown", &DiagnoseOptions::default()))
}

#[test]
fn an_encrypted_server_is_looked_at_and_what_does_not_fit_is_told() {
    let Some(EncryptedRedis { port, certificates, server }) = EncryptedRedis::start(&[]) else { return };
    let file = |name: &str| certificates.file(name);
    let good = certificates.of_a_client();
    let diagnosis = look(port, good.clone()).unwrap();
    assert_eq!((diagnosis.findings, diagnosis.server.role.as_deref()), (vec![], Some("primary")));
    look(port, TlsFiles { name: Some("redis.example".into()), ..good.clone() }).unwrap();
    let authority = |path: PathBuf| Some(path);
    for (files, words) in [
        (TlsFiles { own: None, ..good.clone() }, "CertificateRequired"),
        (TlsFiles { authority: authority(file("other.crt")), ..good.clone() }, "UnknownIssuer"),
        (TlsFiles { name: Some("elsewhere.example".into()), ..good.clone() }, "certificate not valid for name"),
        (TlsFiles { name: Some("not a name".into()), ..good.clone() }, "no name that a certificate can have"),
        (TlsFiles { authority: authority(file("absent.crt")), ..good.clone() }, "absent.crt: No such file"),
        (TlsFiles { authority: authority(file("ca.key")), ..good.clone() }, "ca.key: no certificate in PEM"),
        (TlsFiles { own: Some((file("client.crt"), file("client.crt"))), ..good.clone() }, "no private key in PEM"),
    ] {
        let said = look(port, files).unwrap_err();
        assert!(
            matches!(said, DiagnoseError::Tls(_)) && said.to_string().contains(words),
            "{words:?} is not in {said}"
        );
    }
    // The wrong protocol on either side.
    let plain = crate::common::try_look(&format!("redis://127.0.0.1:{port}"), &DiagnoseOptions::default()).unwrap_err();
    assert!(matches!(plain, DiagnoseError::Closed { .. }) && plain.to_string().contains("needs rediss://"), "{plain}");
    let without = app::testing::free_port();
    let Some(_without) = redis(&["--port", &without.to_string(), "--bind", "127.0.0.1"]) else { return };
    let said = look(without, good).unwrap_err().to_string();
    assert!(said.contains("does it speak TLS at that port?") || said.contains("speaks without it"), "{said}");
    drop(server);
}
