//! Builds the fixtures anew and makes inputs of what is read of them where they stop: for when the compiler's
//! layouts or the inputs' form have changed. Needs Linux on x86-64, rustc, objcopy and ptrace.
//!
//! `cargo run --example record`: writes `fixtures/*.zst` and `corpus/{image,values,panic}/recorded-*`.

use std::error::Error;
use std::fs::{self, File};
use std::io;
use std::os::unix::fs::FileExt;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command};

use relapse_capture::memory::{Memory, Unreadable};
use relapse_fuzz::image::Program;
use relapse_fuzz::memory::Recorder;
use relapse_fuzz::{image, values};

type Result<T> = std::result::Result<T, Box<dyn Error>>;

fn main() -> Result<()> {
    let package = Path::new(env!("CARGO_MANIFEST_DIR"));
    let fixtures = package.join("fixtures");
    let folder = tempfile::tempdir()?;
    let built = |name: &str, options: &[&str]| -> Result<PathBuf> {
        let (source, program) = (fixtures.join(format!("{name}.rs")), folder.path().join(name));
        let mut rustc = Command::new("rustc");
        // std is linked dynamically, so that the program has no other types than its own.
        rustc.args(["--edition", "2024", "-g", "-C", "prefer-dynamic"]).args(options);
        // No folder of this machine.
        rustc.arg(format!("--remap-path-prefix={}=/src/relapse/fuzz", package.display()));
        rustc.arg(format!("--remap-path-prefix={}=/src/relapse/built", folder.path().display()));
        done(rustc.arg("-o").arg(&program).arg(source))?;
        Ok(program)
    };
    let keep = |program: &Path, name: &str| -> Result<()> {
        let packed = zstd::encode_all(File::open(program)?, 22)?;
        Ok(fs::write(fixtures.join(format!("{name}.elf.zst")), packed)?)
    };
    let corpus = |target: &str, name: &str, input: Vec<u8>| -> Result<()> {
        let folder = package.join("corpus").join(target);
        fs::create_dir_all(&folder)?;
        Ok(fs::write(folder.join(format!("recorded-{name}")), input)?)
    };

    let program = built("values", &["-Copt-level=z"])?;
    let debug = folder.path().join("values.debug");
    let mut objcopy = Command::new("objcopy");
    objcopy.arg("--only-keep-debug").arg(&program).arg(&debug);
    for section in [".debug_aranges", ".debug_ranges", ".debug_loc", ".symtab", ".strtab"] {
        objcopy.args(["-R", section]);
    }
    done(&mut objcopy)?;
    keep(&debug, "values")?;
    let stopped = Stopped::start(&program)?;
    let (places, count) = (stopped.registers.rdi, stopped.registers.rsi);
    for at in (0..count).map(|index| places + index * 24) {
        // The tuple's text is pointer and length, then comes the address.
        let word = |at| stopped.memory.read_u64(at);
        let (text, len, address) = (word(at)?, word(at + 8)?, word(at + 16)?);
        let name = String::from_utf8(stopped.memory.read_vec(text, len as usize)?)?;
        let number = values::names().iter().position(|known| *known == name);
        let number = number.ok_or_else(|| format!("no type of {name}"))?;
        let recorder = Recorder::new(&stopped.memory);
        values::read(number, address, &recorder);
        corpus("values", &name, values::encode(number, address, &recorder.into_pieces()))?;
    }

    for kind in Program::ALL {
        let options: &[&str] = match kind {
            Program::Plain => &[],
            Program::Five => &["-Cdwarf-version=5"],
            Program::Split => &["-Cdwarf-version=5", "-Csplit-debuginfo=packed"],
        };
        let program = built("stack", &[&["-Copt-level=2"], options].concat())?;
        keep(&program, kind.name())?;
        let mut files = vec![fs::read(&program)?];
        if kind == Program::Split {
            let package = program.with_extension("dwp");
            fs::write(
                fixtures.join(format!("{}.dwp.zst", kind.name())),
                zstd::encode_all(File::open(&package)?, 22)?,
            )?;
            files.push(fs::read(package)?);
        }
        let stopped = Stopped::start(&program)?;
        let r = &stopped.registers;
        let registers = [
            r.rax, r.rdx, r.rcx, r.rbx, r.rsi, r.rdi, r.rbp, r.rsp, r.r8, r.r9, r.r10, r.r11, r.r12, r.r13,
            r.r14, r.r15, r.rip,
        ];
        let bias = stopped.bias()?;
        let recorder = Recorder::new(&stopped.memory);
        image::read(files, bias, registers, &recorder);
        corpus("image", kind.name(), image::encode(kind, bias, registers, &recorder.into_pieces()))?;
        if kind == Program::Plain {
            corpus("panic", "maps", fs::read(format!("/proc/{}/maps", stopped.child.id()))?)?;
        }
    }
    Ok(())
}

fn done(command: &mut Command) -> Result<()> {
    if command.status()?.success() { Ok(()) } else { Err(format!("{command:?} failed").into()) }
}

/// A program that has stopped at its own trap; killed and reaped when dropped.
struct Stopped {
    child: Child,
    memory: ProcessMemory,
    registers: libc::user_regs_struct,
}

impl Stopped {
    fn start(program: &Path) -> Result<Stopped> {
        let libraries = Command::new("rustc").args(["--print", "target-libdir"]).output()?.stdout;
        let libraries = String::from_utf8(libraries)?.trim().to_owned();
        let mut command = Command::new(program);
        command.env_clear().env("LD_LIBRARY_PATH", libraries);
        // SAFETY: two system calls that touch no memory.
        unsafe {
            command.pre_exec(|| {
                libc::personality(libc::ADDR_NO_RANDOMIZE as u64);
                match libc::ptrace(libc::PTRACE_TRACEME) {
                    0 => Ok(()),
                    _ => Err(io::Error::last_os_error()),
                }
            });
        }
        let child = command.spawn()?;
        let memory = ProcessMemory(File::open(format!("/proc/{}/mem", child.id()))?);
        // SAFETY: plain numbers, for which zero is a value.
        let registers = unsafe { std::mem::zeroed() };
        let mut stopped = Stopped { child, memory, registers };
        let process = stopped.child.id() as libc::pid_t;
        // SAFETY: the child waits to be told to go on; the registers are written to a structure that lives here.
        unsafe {
            let mut status = 0;
            libc::waitpid(process, &raw mut status, 0);
            libc::ptrace(libc::PTRACE_CONT, process, 0, 0);
            libc::waitpid(process, &raw mut status, 0);
            if !libc::WIFSTOPPED(status) || libc::WSTOPSIG(status) != libc::SIGTRAP {
                return Err("the fixture did not stop".into());
            }
            libc::ptrace(libc::PTRACE_GETREGS, process, 0, &raw mut stopped.registers);
        }
        // The trap's own byte is behind it.
        stopped.registers.rip -= 1;
        stopped.memory = ProcessMemory(File::open(format!("/proc/{process}/mem"))?);
        Ok(stopped)
    }

    /// Where the program's file begins in memory.
    fn bias(&self) -> Result<u64> {
        let maps = fs::read_to_string(format!("/proc/{}/maps", self.child.id()))?;
        let start = maps.split('-').next().unwrap_or_default();
        Ok(u64::from_str_radix(start, 16)?)
    }
}

impl Drop for Stopped {
    fn drop(&mut self) {
        // It may be gone already.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

struct ProcessMemory(File);

impl Memory for ProcessMemory {
    fn read(&self, address: u64, buffer: &mut [u8]) -> std::result::Result<(), Unreadable> {
        let unreadable = Unreadable { address, len: buffer.len() };
        self.0.read_exact_at(buffer, address).map_err(|_| unreadable)
    }
}
