//! Loads the library that its argument names, and calls `take_order` in it.

use std::ffi::{CString, c_char, c_int, c_void};

unsafe extern "C" {
    fn dlopen(name: *const c_char, flags: c_int) -> *mut c_void;
    fn dlsym(library: *mut c_void, name: *const c_char) -> *mut c_void;
}

fn main() {
    let name = CString::new(std::env::args().nth(1).expect("a library")).expect("no NUL");
    // SAFETY: the names end with NUL, and the function has that signature.
    let status = unsafe {
        let library = dlopen(name.as_ptr(), 2);
        assert!(!library.is_null(), "the library does not load");
        let function = dlsym(library, c"take_order".as_ptr());
        assert!(!function.is_null(), "the library lacks the function");
        std::mem::transmute::<*mut c_void, extern "C" fn() -> c_int>(function)()
    };
    std::process::exit(status);
}
