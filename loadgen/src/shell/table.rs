//! A table of plain text: columns as wide as their widest cell, rows beyond a limit counted.

use report::text::escape::line;

/// Rows that are shown.
const ROWS_MAX: usize = 60;
/// Widest cell, characters.
const CELL_MAX: usize = 200;

/// The rows, each with as many cells as the first, indented by two; the columns of `right` are set to the right. `heads`
/// rows are shown beside the limit.
#[must_use]
pub fn table(rows: &[Vec<String>], heads: usize, right: impl Fn(usize) -> bool) -> String {
    let rows: Vec<Vec<String>> = rows.iter().map(|row| row.iter().map(|cell| cut(cell)).collect()).collect();
    let shown = &rows[..rows.len().min(ROWS_MAX + heads)];
    let columns = shown.first().map_or(0, Vec::len);
    let width = |column: usize| shown.iter().filter_map(|row| row.get(column)).map(|c| c.chars().count()).max();
    let widths: Vec<usize> = (0..columns).map(|column| width(column).unwrap_or(0)).collect();
    let joined = |row: &Vec<String>| {
        let cells = row.iter().zip(&widths).enumerate().map(|(column, (cell, width))| {
            if right(column) { format!("{cell:>width$}") } else { format!("{cell:<width$}") }
        });
        format!("  {}\n", cells.collect::<Vec<_>>().join("  ").trim_end())
    };
    let mut text: String = shown.iter().map(joined).collect();
    if let Some(more @ 1..) = rows.len().checked_sub(shown.len()) {
        text += &format!("  … and {more} more\n");
    }
    text
}

fn cut(cell: &str) -> String {
    let mut shown: String = line(cell).chars().take(CELL_MAX).collect();
    if cell.chars().count() > CELL_MAX {
        shown.push('…');
    }
    shown
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_are_as_wide_as_they_need_and_rows_beyond_the_limit_are_counted() {
        let row = |n: usize| vec![format!("name-{n}"), n.to_string()];
        let rows: Vec<Vec<String>> = [vec!["what".into(), "n".into()]].into_iter().chain((0..70).map(row)).collect();
        let text = table(&rows, 1, |column| column == 1);
        let lines: Vec<&str> = text.lines().collect();
        assert_eq!(lines.len(), 1 + ROWS_MAX + 1);
        assert_eq!((lines[0], lines[1], lines[60]), ("  what      n", "  name-0    0", "  name-59  59"));
        assert_eq!(lines[61], "  … and 10 more");
        let long = table(&[vec!["\u{1b}[31m".repeat(CELL_MAX)]], 0, |_| false);
        assert!(!long.contains('\u{1b}') && long.ends_with("…\n"), "{long}");
        assert_eq!(table(&[], 0, |_| false), "");
    }
}
