//! This process's own command line, as it can be typed again.

use app::wire::address::shown_word;

/// This process's command line without these flags and their values, quoted for a shell where it needs to be, and without any secret.
pub(crate) fn command_without(flags: &[&str]) -> String {
    let args = std::env::args_os().skip(1).map(|arg| arg.to_string_lossy().into_owned());
    let args = headers_hidden(without(args, flags)).into_iter().map(|arg| quoted(&shown_word(&arg)));
    ["cargo run --release -p loadgen --".to_owned()].into_iter().chain(args).collect::<Vec<_>>().join(" ")
}

/// Arguments without these flags and their values, however they are written: `-o DIR`, `-oDIR`, `--output DIR`, `--output=DIR`.
fn without(args: impl Iterator<Item = String>, flags: &[&str]) -> Vec<String> {
    let mut kept = Vec::new();
    let mut args = args;
    while let Some(arg) = args.next() {
        if flags.contains(&arg.as_str()) {
            args.next();
        } else if !flags.iter().any(|flag| {
            let long = flag.starts_with("--");
            arg.strip_prefix(flag).is_some_and(|value| !long && !arg.starts_with("--") || value.starts_with('='))
        }) {
            kept.push(arg);
        }
    }
    kept
}

/// The value of a `--header` may be a secret: its name stays.
fn headers_hidden(args: Vec<String>) -> Vec<String> {
    const FLAG: &str = "--header";
    let hidden = |text: &str| match text.split_once(':') {
        _ if text.starts_with('@') => text.to_owned(),
        Some((name, _)) => format!("{name}: …"),
        None => "…".to_owned(),
    };
    let mut follows = false;
    let hide = |arg: String| {
        let is_value = std::mem::replace(&mut follows, arg == FLAG);
        match arg.strip_prefix(FLAG).and_then(|rest| rest.strip_prefix('=')) {
            _ if is_value => hidden(&arg),
            Some(value) => format!("{FLAG}={}", hidden(value)),
            None => arg,
        }
    };
    args.into_iter().map(hide).collect()
}

/// An argument as a shell takes it.
pub(crate) fn quoted(arg: &str) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || "-_./=:,".contains(c);
    if !arg.is_empty() && arg.chars().all(plain) { arg.to_owned() } else { format!("'{}'", arg.replace('\'', r"'\''")) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn flags_are_left_out_with_their_values_however_they_are_written() {
        let flags = ["--points", "-o", "--output"];
        for written in
            ["sweep -o a|b --seeds 2 --points 0/4", "sweep --output=a --seeds 2 --points=/4", "sweep -oa --seeds 2"]
        {
            // What stands for a space within one argument.
            let args = written.split(' ').map(|arg| arg.replace('|', " "));
            assert_eq!(without(args, &flags), ["sweep", "--seeds", "2"], "{written}");
        }
        let others = ["--only", "--points-of", "o", "--outputs=x"].map(str::to_owned);
        assert_eq!(without(others.clone().into_iter(), &flags), others);
    }

    #[test]
    fn a_headers_value_is_not_told() {
        let args = [
            "--header",
            "Authorization: Bearer SECRET",
            "--header=X-Key: SECRET",
            "--header",
            "SECRET",
            "--header",
            "@file",
            "-d",
            "1s",
        ];
        let said = headers_hidden(args.map(str::to_owned).into());
        let expected =
            ["--header", "Authorization: …", "--header=X-Key: …", "--header", "…", "--header", "@file", "-d", "1s"];
        assert_eq!(said, expected);
    }

    #[test]
    fn a_command_is_quoted_and_tells_no_password() {
        for (arg, said) in [
            ("hotkey", "hotkey"),
            ("swr + lock", "'swr + lock'"),
            ("it's", r"'it'\''s'"),
            ("", "''"),
            ("redis://me:secret@host:6379/0", "'redis://…@host:6379/0'"),
            ("--redis=redis://h?password=p", "'--redis=redis://h?…'"),
        ] {
            assert_eq!(quoted(&shown_word(arg)), said);
        }
    }
}
