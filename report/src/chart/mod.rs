//! The charts: what is common to all of them.
//!
//! Each chart is one drawing function that leaves marks, and plotters sets these as SVG and as PNG, so that both are the same
//! picture. They are drawn at twice their nominal size; the SVG is then told its nominal one, which gives it half-pixels.
//! Same records, same bytes: no clock, no map order and no system font has a say.

mod axis;
mod comparison;
mod containers;
mod curves;
mod heat;
mod herd;
mod ink;
mod response;
mod seconds;
mod server;
mod spectrum;
mod strategy;

use std::path::{Path, PathBuf};
use std::sync::OnceLock;

use plotters::backend::{BitMapBackend, SVGBackend};
use plotters::prelude::DrawingBackend;
use plotters::style::{FontStyle, register_font};

pub(crate) use comparison::ComparisonChart;
pub(crate) use curves::Curves;
pub(crate) use heat::{HeatMap, Of};
pub(crate) use herd::HerdChart;
pub(crate) use spectrum::Spectrum;
pub(crate) use strategy::StrategyChart;

use crate::files::error::ReportError;
use crate::text::escape;
use ink::{FONT, Ink, SCALE, WIDTH};

/// One chart, ready to be drawn.
pub(crate) trait Chart {
    /// The file's name without its ending.
    fn name(&self) -> String;
    /// What a reader who cannot see it should be told.
    fn alt(&self) -> String;
    /// Its height in nominal pixels; the width is 960 for all.
    fn height(&self) -> f64;
    /// Draws it.
    fn draw(&self, ink: &mut Ink);
}

/// A chart's two files as they lie in a run's or a sweep's folder.
pub(crate) fn files(chart: &dyn Chart) -> Result<[(PathBuf, Vec<u8>); 2], ReportError> {
    let (name, svg) = svg(chart)?;
    Ok([(name.clone(), svg.into_bytes()), (name.with_extension("png"), png(chart)?)])
}

/// The chart as an SVG document without anything outside of itself, and where it lies.
pub(crate) fn svg(chart: &dyn Chart) -> Result<(PathBuf, String), ReportError> {
    let (width, height) = pixels(chart);
    let mut text = String::new();
    draw(chart, SVGBackend::with_string(&mut text, (width, height)))?;
    let sized = format!("width=\"{width}\" height=\"{height}\" ");
    let nominal = format!(
        "width=\"{}\" height=\"{}\" role=\"img\" aria-label=\"{}\" ",
        width / SCALE,
        height / SCALE,
        escape::html(&chart.alt())
    );
    let name = Path::new("charts").join(format!("{}.svg", chart.name()));
    Ok((name, text.replacen(&sized, &nominal, 1)))
}

/// The chart as a PNG file's bytes, at twice the nominal size.
fn png(chart: &dyn Chart) -> Result<Vec<u8>, ReportError> {
    let (width, height) = pixels(chart);
    let mut rgb = vec![0; width as usize * height as usize * 3];
    draw(chart, BitMapBackend::with_buffer(&mut rgb, (width, height)))?;
    encoded(&rgb, width, height).map_err(|error| problem(chart, error.to_string()))
}

fn encoded(rgb: &[u8], width: u32, height: u32) -> Result<Vec<u8>, png::EncodingError> {
    let mut file = Vec::new();
    let mut encoder = png::Encoder::new(&mut file, width, height);
    encoder.set_color(png::ColorType::Rgb);
    encoder.set_depth(png::BitDepth::Eight);
    // Flat colours: no filter packs them best, to a third of the default's size.
    encoder.set_filter(png::FilterType::NoFilter);
    encoder.set_compression(png::Compression::Default);
    let mut writer = encoder.write_header()?;
    writer.write_image_data(rgb)?;
    writer.finish()?;
    Ok(file)
}

fn draw(chart: &dyn Chart, backend: impl DrawingBackend) -> Result<(), ReportError> {
    register_font_once().map_err(|error| problem(chart, error))?;
    let mut ink = Ink::default();
    chart.draw(&mut ink);
    ink.onto(backend).map_err(|error| problem(chart, error.to_string()))
}

fn problem(chart: &dyn Chart, problem: String) -> ReportError {
    ReportError::Drawing { chart: chart.name(), problem }
}

fn pixels(chart: &dyn Chart) -> (u32, u32) {
    (WIDTH as u32 * SCALE, chart.height().ceil() as u32 * SCALE)
}

/// plotters is built without system fonts: what is not registered before any drawing cannot even be measured.
fn register_font_once() -> Result<(), String> {
    static REGISTERED: OnceLock<bool> = OnceLock::new();
    let bytes: &'static [u8] = include_bytes!("../../assets/DejaVuSans.ttf");
    match REGISTERED.get_or_init(|| register_font(FONT, FontStyle::Normal, bytes).is_ok()) {
        true => Ok(()),
        false => Err("the embedded font is not a font".to_owned()),
    }
}
