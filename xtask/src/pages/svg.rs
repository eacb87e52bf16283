//! What all drawings of the book have in common: the frame, the tip of arrows, and text as XML.
//! In: a size and words. Out: SVG. Its colours are readable on light and dark pages.

/// The colour of lines between boxes.
pub const ARROW: &str = "#7d8590";

/// The beginning of a drawing, with what it says to people who do not see it.
pub fn head(width: usize, height: usize, title: &str) -> String {
    format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"-2 -2 {} {}\" role=\"img\" aria-labelledby=\"title\" \
         font-family=\"system-ui, -apple-system, 'Segoe UI', sans-serif\" font-size=\"14\">\n  <title id=\"title\">{}</title>\n  \
         <defs>\n    <marker id=\"tip\" viewBox=\"0 0 10 10\" refX=\"9\" refY=\"5\" markerWidth=\"7\" markerHeight=\"7\" \
         orient=\"auto\"><path d=\"M0 0 L10 5 L0 10 z\" fill=\"{ARROW}\"/></marker>\n  </defs>\n",
        width + 4,
        height + 4,
        escaped(title)
    )
}

/// Text as XML has it.
pub fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('`', "")
}
