//! What the containers took of the machine, as a panel of a strategy's chart.

use plotters::style::RGBColor;

use super::ink::{At, FAINT, Ink, TEXT};
use crate::draw::{Containers, Frame, SERVICE_HUES, last_of};

/// Told apart by lightness as well as by hue.
const COLOURS: [RGBColor; SERVICE_HUES] =
    [RGBColor(0x00, 0x72, 0xb2), RGBColor(0xe6, 0x9f, 0x00), RGBColor(0x00, 0x9e, 0x73), RGBColor(0x8e, 0x2f, 0x7d)];

/// Draws the lines, and their names at the panel's right edge.
pub(crate) fn draw(ink: &mut Ink, panel: &Frame, containers: &Containers) {
    let y = panel.top - 19.0;
    let name = "Containers: processor, cores";
    ink.text(name, (16.0, y), 13.0, TEXT, At::Left);
    let room = panel.right - 16.0 - ink.width(name, 13.0) - 14.0;
    ink.text(&ink.fitted(&containers.said, 10.5, room), (panel.right, y), 10.5, FAINT, At::Right);
    panel.y_axis(ink, &panel.y.ticks(4));
    panel.x_axis(ink, &panel.x.ticks(12), true);
    let mut named = Vec::new();
    for (at, (service, cores)) in containers.services.iter().enumerate() {
        let colour = COLOURS[at.min(SERVICE_HUES - 1)];
        panel.series(ink, cores, colour, false);
        named.extend(last_of(cores).map(|last| (service.clone(), colour, last)));
    }
    panel.names(ink, &named, 11.0)
}
