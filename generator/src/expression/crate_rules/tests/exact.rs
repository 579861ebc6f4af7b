//! Values that a constructor would change or could not be asked for in the usual way: empty ones, floats that are no
//! number, colours of an image, versions that took other arguments.

use super::*;

impl Sheet {
    fn float(&mut self, number: f64) -> Value {
        self.value("f64", TypeKind::Float { bits: 64 }, Data::Float(number.to_bits()))
    }

    fn point(&mut self, [x, y]: [f64; 2]) -> Value {
        let fields = vec![("x", self.float(x)), ("y", self.float(y))];
        self.structure("a::Coord<f64>", fields)
    }

    fn ring(&mut self, points: &[[f64; 2]]) -> Value {
        let items: Vec<Value> = points.iter().map(|point| self.point(*point)).collect();
        let points = self.list(items, points.len() as u64);
        let kind = TypeKind::Struct { fields: vec![], tuple: true, params: vec![] };
        let field = Field { name: "0".to_owned(), value: points };
        self.value("a::LineString<f64>", kind, Data::Struct(vec![field]))
    }

    fn polygon(&mut self, exterior: &[[f64; 2]], interiors: &[&[[f64; 2]]]) -> Value {
        let items: Vec<Value> = interiors.iter().map(|ring| self.ring(ring)).collect();
        let fields =
            vec![("exterior", self.ring(exterior)), ("interiors", self.list(items, interiors.len() as u64))];
        self.structure("geo_types::geometry::polygon::Polygon<f64>", fields)
    }

    fn rect(&mut self, min: [f64; 2], max: [f64; 2]) -> Value {
        let fields = vec![("min", self.point(min)), ("max", self.point(max))];
        self.structure("geo_types::geometry::rect::Rect<f64>", fields)
    }

    fn image(&mut self, transfer: Option<&str>) -> Value {
        let data = self.list(vec![], 0);
        let mut fields = vec![("width", self.uint(32, 0)), ("height", self.uint(32, 0)), ("data", data)];
        if let Some(transfer) = transfer {
            let color = vec![
                ("primaries", self.variant("a::Primaries", "SRgb", vec![])),
                ("transfer", self.variant("a::Transfer", transfer, vec![])),
                ("luminance", self.variant("a::Luminance", "NonConstant", vec![])),
            ];
            fields.push(("color", self.structure("a::CicpRgb", color)));
        }
        self.structure("image::images::buffer::ImageBuffer<P, C>", fields)
    }
}

/// Types of the test's own are written as literals.
fn open_parts() -> Outside {
    Outside { open_parts: true, ..Outside::default() }
}

#[test]
fn a_ring_that_its_constructor_would_close_is_suspect() {
    let nan = f64::NAN;
    let closed = [[0.0, 1.0], [2.0, 3.0], [0.0, 1.0]];
    for (exterior, interiors, expected) in [
        (&closed[..], &[&closed[..], &[]][..], Trust::Entry),
        (&[], &[], Trust::Entry),
        (&closed[..2], &[], Trust::Suspect),
        (&closed, &[&closed[..2]], Trust::Suspect),
        (&[[nan, 1.0], [2.0, 3.0], [nan, 1.0]], &[], Trust::Suspect),
        (&[[0.0, nan], [0.0, nan]], &[], Trust::Suspect),
        (&[[0.0, 1.0], [nan, nan], [0.0, 1.0]], &[], Trust::Entry),
    ] {
        let mut s = Sheet::default();
        let polygon = s.polygon(exterior, interiors);
        let (text, trust) = s.write(&polygon, &open_parts()).unwrap();
        assert!(text.starts_with("letvalue=Polygon::new("), "{text}");
        assert_eq!(trust, expected, "{text}");
    }
}

#[test]
fn a_rectangle_whose_corners_cannot_be_compared_is_refused() {
    let nan = f64::NAN;
    for (min, max, is_written) in [
        ([0.0, 1.0], [2.0, 1.0], true),
        ([nan, 1.0], [2.0, 3.0], false),
        ([0.0, 1.0], [2.0, nan], false),
        ([0.0, 4.0], [2.0, 3.0], false),
    ] {
        let mut s = Sheet::default();
        let rect = s.rect(min, max);
        assert_eq!(s.write(&rect, &open_parts()).is_ok(), is_written, "{min:?} {max:?}");
    }
}

#[test]
fn floats_are_compared_and_nothing_else() {
    let mut s = Sheet::default();
    let narrow = s.value("f32", TypeKind::Float { bits: 32 }, Data::Float(u64::from(0.5_f32.to_bits())));
    let fields = vec![("a", narrow), ("b", s.float(0.5)), ("n", s.uint(8, 1))];
    let value = s.structure("x::Y", fields);
    let compute = |formula: &str| {
        let formula = Formula::read(&syn::parse_str(formula).unwrap()).unwrap();
        formula.compute(&value, &s.0)
    };
    assert_eq!(compute("a == b && a <= b && !(a < b)"), Some(Computed::Flag(true)));
    for none in ["a + b", "a < n", "a & 1", "-a"] {
        assert_eq!(compute(none), None, "{none}");
    }
    assert!(
        compute("a").is_some_and(|number| rendered(&number).is_none()),
        "a float is no literal of a formula"
    );
}

#[test]
fn an_image_of_other_colours_than_those_of_a_new_one_is_suspect() {
    for (transfer, expected) in
        [(None, Trust::Entry), (Some("SRgb"), Trust::Entry), (Some("Linear"), Trust::Suspect)]
    {
        let mut s = Sheet::default();
        let image = s.image(transfer);
        let (text, trust) = s.write(&image, &Outside::default()).unwrap();
        assert!(text.starts_with("letvalue=ImageBuffer::from_raw(0,0,"), "{text}");
        assert_eq!(trust, expected, "{transfer:?}");
    }
}

#[test]
fn what_is_empty_is_made_by_a_call_that_needs_no_element() {
    let mut s = Sheet::default();
    let empty = s.list(vec![], 0);
    let kind = TypeKind::Std { std: relapse_snapshot::StdType::Arc, params: vec![] };
    let to = Some(Box::new(empty.clone()));
    let patterns = s.value("alloc::sync::Arc<[T]>", kind, Data::Pointer { address: 16, to });
    let set = s.structure("regex::regexset::string::RegexSet", vec![("patterns", patterns)]);
    assert_eq!(s.written(&set), "RegexSet::empty()");

    let fields = vec![("storage", empty.clone()), ("nbits", s.uint(64, 0))];
    let bits = s.structure("bit_vec::BitVec", fields);
    assert_eq!(s.written(&bits), "BitVec::default()");

    let core = s.structure("indexmap::map::core::IndexMapCore<K, V>", vec![("entries", empty.clone())]);
    let map = s.structure("a::Map<K, V>", vec![("core", core)]);
    let graph = s.structure("petgraph::graphmap::GraphMap", vec![("nodes", map.clone()), ("edges", map)]);
    assert_eq!(s.written(&graph), "GraphMap::default()");

    let graph = vec![("nodes", empty.clone()), ("edges", empty.clone())];
    let graph = s.structure("petgraph::graph_impl::Graph", graph);
    assert_eq!(s.written(&graph), "Graph::default()");
    let stable = vec![("g", graph), ("node_count", s.uint(64, 0)), ("edge_count", s.uint(64, 0))];
    let stable = s.structure("petgraph::graph_impl::stable_graph::StableGraph", stable);
    assert_eq!(s.written(&stable), "StableGraph::default()");
}

#[test]
fn a_text_is_given_only_to_the_versions_that_take_one() {
    for variant in ["Borrowed", "Owned"] {
        let mut s = Sheet::default();
        let text = s.text("a &amp; b");
        let content = s.variant("alloc::borrow::Cow<[u8]>", variant, vec![("0", text)]);
        let text = s.structure("quick_xml::events::BytesText", vec![("content", content)]);
        let at = |version| s.write(&text, &Outside { version, ..Outside::default() });
        assert_eq!(at("0.24.0").unwrap().0, "letvalue=BytesText::from_escaped(\"a&amp;b\");");
        at("0.23.1").unwrap_err();
    }
}
