//! Writing HTML: the little that all sections share.

pub(crate) use std::fmt::Write;

pub(crate) use crate::text::escape::html as escaped;

/// Writes to a String, which cannot fail.
macro_rules! put {
    ($out:expr, $($arg:tt)*) => {{
        let _ = $out.write_fmt(format_args!($($arg)*));
    }};
}
pub(crate) use put;

/// HTML under way, and the sections that it has so far.
#[derive(Default)]
pub(crate) struct Sheet {
    pub(crate) html: String,
    /// Each section's id and heading.
    pub(crate) sections: Vec<(&'static str, &'static str)>,
}

impl Write for Sheet {
    fn write_str(&mut self, text: &str) -> std::fmt::Result {
        self.html.write_str(text)
    }
}

impl Sheet {
    pub(crate) fn push_str(&mut self, text: &str) {
        self.html.push_str(text);
    }

    /// Opens a table that scrolls sideways where there is no room for it; its class may be empty.
    pub(crate) fn open_table(&mut self, label: &str, class: &str) {
        let class = if class.is_empty() { String::new() } else { format!(" class=\"{class}\"") };
        put!(self, "<div class=\"scroll\" role=\"region\" aria-label=\"{label}\" tabindex=\"0\">\n<table{class}>\n");
    }

    pub(crate) fn close_table(&mut self) {
        self.push_str("</tbody>\n</table>\n</div>\n");
    }

    /// Opens a section with its heading and, where there is one, a sentence that says how to read it. The sentence is HTML.
    pub(crate) fn section(&mut self, id: &'static str, heading: &'static str, how: &str) {
        self.sections.push((id, heading));
        put!(self, "<section id=\"{id}\" aria-labelledby=\"h-{id}\">\n<h2 id=\"h-{id}\">{heading}</h2>\n");
        if !how.is_empty() {
            put!(self, "<p class=\"how\">{how}</p>\n");
        }
    }
}

/// So much of a long name's end is shown whatever the room: compositions differ there.
const END: usize = 8;

/// A name in bold that, where there is no room for it, loses its middle and not its end.
pub(crate) fn with_ends(name: &str) -> String {
    let length = name.chars().count();
    if length <= END + 4 {
        return format!("<b>{}</b>", escaped(name));
    }
    let cut = name.char_indices().nth(length - END).map_or(0, |(at, _)| at);
    let (start, end) = name.split_at(cut);
    format!("<b class=\"ends\"><span>{}</span><span>{}</span></b>", escaped(start), escaped(end))
}

/// A number with at most one decimal, as short as it is exact.
pub(crate) fn short(value: f64) -> String {
    if (value - value.round()).abs() < 0.05 { format!("{value:.0}") } else { format!("{value:.1}") }
}
