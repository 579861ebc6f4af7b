//! Arrays of ndarray that do not lie row by row.

use super::*;

impl Sheet {
    fn dimension(&mut self, axes: &[u128]) -> Value {
        let items: Vec<Value> = axes.iter().map(|axis| self.uint(64, *axis)).collect();
        let len = items.len() as u64;
        let index = self.list(items, len);
        self.structure("ndarray::dimension::dim::Dim<[usize; 2]>", vec![("index", index)])
    }

    fn array(&mut self, data: &[i128], shape: &[u128], strides: &[u128]) -> Value {
        let items: Vec<Value> = data.iter().map(|item| self.int(32, *item)).collect();
        let data = self.list(items, data.len() as u64);
        let (dim, strides) = (self.dimension(shape), self.dimension(strides));
        let fields = vec![("data", data), ("dim", dim), ("strides", strides)];
        self.structure("ndarray::ArrayBase<ndarray::data_repr::OwnedRepr<i32>, D>", fields)
    }
}

/// -1 as a `usize`.
const BACK: u128 = u64::MAX as u128;

#[test]
fn arrays_that_were_turned_transposed_or_have_no_elements_are_written() {
    let mut s = Sheet::default();
    let mut written = |data: &[i128], shape: &[u128], strides: &[u128]| {
        let array = s.array(data, shape, strides);
        s.written(&array)
    };
    let rows = |text: &str| text.replace("ROWS", "Array2::from_shape_vec((2,3),vec![1,2,3,4,5,6]).unwrap()");
    let six = [1, 2, 3, 4, 5, 6];
    assert_eq!(written(&six, &[2, 3], &[3, 1]), rows("ROWS"));
    assert_eq!(written(&six, &[3, 2], &[1, 3]), rows("ROWS.reversed_axes()"));
    let turned = |axis: u8| rows(&format!("{{letmutarray=ROWS;array.invert_axis(Axis({axis}));array}}"));
    assert_eq!(written(&six, &[2, 3], &[3, BACK]), turned(1));
    assert_eq!(written(&six, &[2, 3], &[BACK - 2, 1]), turned(0));
    assert_eq!(written(&[], &[2, 0], &[0, 0]), "Array2::from_shape_vec((2,0),vec![]).unwrap()");
    assert_eq!(written(&[], &[0], &[0]), "Array1::from_vec(vec![])");
    let cube = "Array3::from_shape_vec((1,2,3),vec![1,2,3,4,5,6]).unwrap()";
    assert_eq!(written(&six, &[1, 2, 3], &[6, 3, 1]), cube);
    let back = "{letmutarray=Array1::from_vec(vec![1,2]);array.invert_axis(Axis(0));array}";
    assert_eq!(written(&[1, 2], &[2], &[BACK]), back);
}

#[test]
fn an_array_with_gaps_is_refused() {
    let mut s = Sheet::default();
    let gaps = s.array(&[1, 2, 3, 4, 5, 6], &[2, 2], &[3, 1]);
    assert!(s.refused(&gaps).contains("private"), "{}", s.refused(&gaps));
}
