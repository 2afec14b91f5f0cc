//! Text → terms: `name(arg, key=value) + name`. Knows the grammar and no name.

/// One term as typed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Term {
    pub(crate) name: String,
    pub(crate) args: Vec<Arg>,
}

/// One argument as typed; positional where it has no key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Arg {
    pub(crate) key: Option<String>,
    pub(crate) value: String,
}

/// The longest SPEC in bytes: nobody types more, and errors quote it.
const SPEC_BYTES_MAX: usize = 1000;

pub(crate) fn parse(text: &str) -> Result<Vec<Term>, String> {
    if text.len() > SPEC_BYTES_MAX {
        return Err(format!("is {} bytes long; at most {SPEC_BYTES_MAX}", text.len()));
    }
    if text.trim().is_empty() {
        return Err("is empty; name a preset or a composition, as \"swr + lock\"".into());
    }
    split(text, '+')?.into_iter().map(term).collect()
}

/// Splits at a separator outside parentheses.
fn split(text: &str, separator: char) -> Result<Vec<&str>, String> {
    let (mut parts, mut depth, mut start) = (Vec::new(), 0_i32, 0);
    for (at, c) in text.char_indices() {
        match c {
            '(' => depth += 1,
            ')' => depth -= 1,
            c if c == separator && depth == 0 => {
                parts.push(&text[start..at]);
                start = at + c.len_utf8();
            }
            _ => {}
        }
        if !(0..=1).contains(&depth) {
            return Err("has parentheses that do not match; write name(arg, key=value)".into());
        }
    }
    if depth != 0 {
        return Err("has a parenthesis that is not closed".into());
    }
    parts.push(&text[start..]);
    Ok(parts)
}

fn term(text: &str) -> Result<Term, String> {
    let text = text.trim();
    let (name, rest) = text.split_once('(').map_or((text, None), |(name, rest)| (name.trim(), Some(rest)));
    let word = |c: char| c.is_ascii_alphanumeric() || c == '-' || c == '_';
    if name.is_empty() || !name.chars().all(word) {
        return Err(format!("{text:?} is no layer; a layer is a name, perhaps with (arguments)"));
    }
    let args = match rest {
        None => Vec::new(),
        Some(rest) => {
            let inside = rest.strip_suffix(')').ok_or_else(|| format!("{text:?} has text after its parenthesis"))?;
            if inside.trim().is_empty() { Vec::new() } else { inside.split(',').map(arg).collect::<Result<_, _>>()? }
        }
    };
    Ok(Term { name: name.to_lowercase(), args })
}

fn arg(text: &str) -> Result<Arg, String> {
    let (key, value) = match text.split_once('=') {
        Some((key, value)) => (Some(key.trim().to_lowercase()), value.trim()),
        None => (None, text.trim()),
    };
    if value.is_empty() || key.as_deref() == Some("") {
        return Err(format!("has an empty argument {:?}; write key=value", text.trim()));
    }
    Ok(Arg { key, value: value.to_owned() })
}
