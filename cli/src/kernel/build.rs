//! CUDA C to PTX that can be bought: nvcc wherever it may be, else the NVRTC library.

use std::{
    collections::BTreeSet,
    env,
    ffi::OsString,
    fmt,
    path::{Path, PathBuf},
    process::Command,
};

/// What kernels are compiled for unless told otherwise.
pub const DEFAULT_ARCH: &str = "sm_80";

/// Exact versions of the functions that compilers make approximate instructions of; included before the source.
pub const EXACT_MATHS: &str = include_str!("../../../kernels/include/assay_math.cuh");

const EXACT_MATHS_NAME: &str = "assay_math.cuh";

/// PTX and how it was made.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Built {
    /// The PTX.
    pub ptx: Vec<u8>,
    /// Whether `EXACT_MATHS` was included.
    pub exact_maths: bool,
}

/// Why there is no PTX.
#[derive(Debug, thiserror::Error)]
pub enum BuildError {
    /// Nothing that compiles CUDA C.
    #[error(
        "no CUDA compiler found: looked in $NVCC, PATH, $CUDA_HOME, $CUDA_PATH, /usr/local/cuda, the project's kernels folder, \
         and Python's packages; install one with `pip install nvidia-cuda-nvcc nvidia-cuda-crt nvidia-nvvm \
         nvidia-cuda-runtime nvidia-cuda-cccl` (no GPU needed), or run kernels/build.py --nvcc"
    )]
    NoCompiler,
    /// A file.
    #[error("{}: {error}", path.display())]
    File {
        /// The file.
        path: PathBuf,
        /// Why.
        error: std::io::Error,
    },
    /// The compiler cannot be run.
    #[error("{compiler} cannot be run: {reason}")]
    Run {
        /// The compiler.
        compiler: String,
        /// Why.
        reason: String,
    },
    /// The source does not compile.
    #[error("{} does not compile:\n{messages}", path.display())]
    Compile {
        /// The source.
        path: PathBuf,
        /// The compiler's words.
        messages: String,
    },
}

/// Something that makes PTX.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Compiler {
    /// nvcc and the folders of headers that it does not find by itself.
    Nvcc(PathBuf, Vec<PathBuf>),
    /// The NVRTC library.
    Nvrtc,
}

impl fmt::Display for Compiler {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Nvcc(path, _) => write!(f, "{}", path.display()),
            Self::Nvrtc => write!(f, "the NVRTC library"),
        }
    }
}

/// The first compiler found.
pub fn find_compiler() -> Option<Compiler> {
    let named = env::var_os("NVCC").map(PathBuf::from);
    let path = env::var_os("PATH").unwrap_or_default();
    let in_path = env::split_paths(&path).map(|folder| folder.join("nvcc"));
    let homes = ["CUDA_HOME", "CUDA_PATH"].into_iter().filter_map(env::var_os).map(PathBuf::from);
    let homes = homes.chain([PathBuf::from("/usr/local/cuda")]).map(|folder| folder.join("bin/nvcc"));
    let installed = named.into_iter().chain(in_path).chain(homes).find(|path| path.is_file());
    if let Some(path) = installed {
        return Some(Compiler::Nvcc(path, Vec::new()));
    }
    let packages = site_packages();
    let wheel = packages.iter().find_map(|packages| in_wheels(packages));
    wheel.or_else(|| nvrtc_is_present().then_some(Compiler::Nvrtc))
}

/// Folders of Python packages: of the project's own environment, the active one, and the system's.
fn site_packages() -> Vec<PathBuf> {
    let cache = env::var_os("XDG_CACHE_HOME")
        .map(PathBuf::from)
        .or_else(|| env::var_os("HOME").map(|home| PathBuf::from(home).join(".cache")));
    let project = env::var_os("ASSAY_CUDA_HOME").map(PathBuf::from).or(cache.map(|cache| cache.join("assay-cuda")));
    let active = env::var_os("VIRTUAL_ENV").map(PathBuf::from);
    let mut found = Vec::new();
    for environment in project.into_iter().chain(active) {
        for python in folders(&environment.join("lib"), "python3") {
            found.push(python.join("site-packages"));
        }
    }
    let ask = "import site, sys; print('\\n'.join([*site.getsitepackages(), site.getusersitepackages()]))";
    if let Ok(answer) = Command::new("python3").args(["-c", ask]).output()
        && answer.status.success()
    {
        found.extend(String::from_utf8_lossy(&answer.stdout).lines().map(PathBuf::from));
    }
    found
}

fn folders(parent: &Path, prefix: &str) -> Vec<PathBuf> {
    let entries = std::fs::read_dir(parent).into_iter().flatten().flatten();
    let mut found: Vec<PathBuf> = entries
        .filter(|entry| entry.file_name().to_string_lossy().starts_with(prefix))
        .map(|entry| entry.path())
        .collect();
    found.sort();
    found
}

/// nvcc in NVIDIA's wheels: one folder for all of them since CUDA 13, one for each before.
fn in_wheels(packages: &Path) -> Option<Compiler> {
    let nvidia = packages.join("nvidia");
    for folder in folders(&nvidia, "cu") {
        let nvcc = folder.join("bin/nvcc");
        if nvcc.is_file() {
            let headers = folders(&nvidia, "cuda_").into_iter().map(|other| other.join("include"));
            return Some(Compiler::Nvcc(nvcc, headers.filter(|path| path.is_dir()).collect()));
        }
    }
    None
}

#[allow(unsafe_code)]
fn nvrtc_is_present() -> bool {
    // SAFETY: only tries to open the library by its name.
    unsafe { cudarc::nvrtc::sys::is_culib_present() }
}

/// Compiles a file with the first compiler found, and with the exact maths.
pub fn compile(source: &Path, arch: &str) -> Result<Vec<u8>, BuildError> {
    compile_with(&find_compiler().ok_or(BuildError::NoCompiler)?, source, arch, true).map(|built| built.ptx)
}

/// Compiles a file. Paths of this machine are taken out of the PTX, because PTX goes on chain; its version is the lowest that is known
/// to do. A source that does not
/// compile with the exact maths is compiled without.
pub fn compile_with(compiler: &Compiler, source: &Path, arch: &str, exact_maths: bool) -> Result<Built, BuildError> {
    std::fs::metadata(source).map_err(|error| BuildError::File { path: source.to_owned(), error })?;
    let compile = |exact_maths| -> Result<Built, BuildError> {
        let ptx = match compiler {
            Compiler::Nvcc(nvcc, headers) => with_nvcc(nvcc, headers, source, arch, exact_maths)?,
            Compiler::Nvrtc => with_nvrtc(source, arch, exact_maths)?,
        };
        let ptx = without_lines_of_the_maths(&without_paths(&ptx));
        let ptx = with_entries_as_written(ptx);
        let lowered = super::lowest(&ptx).and_then(|version| lower_version(&ptx, version));
        Ok(Built { ptx: lowered.unwrap_or(ptx).into_bytes(), exact_maths })
    };
    match compile(exact_maths) {
        Err(error @ BuildError::Compile { .. }) if exact_maths => compile(false).map_err(|_| error),
        done => done,
    }
}

fn with_nvcc(
    nvcc: &Path,
    headers: &[PathBuf],
    source: &Path,
    arch: &str,
    exact_maths: bool,
) -> Result<String, BuildError> {
    let run =
        |error: std::io::Error| BuildError::Run { compiler: nvcc.display().to_string(), reason: error.to_string() };
    let folder = tempfile::tempdir().map_err(run)?;
    let out = folder.path().join("out.ptx");
    let mut arguments: Vec<OsString> =
        ["-ptx", "--fmad=false", "-lineinfo", "-std=c++17"].into_iter().map(OsString::from).collect();
    arguments.push(format!("-arch={arch}").into());
    for folder in headers {
        arguments.extend(["-I".into(), folder.into()]);
    }
    if exact_maths {
        let header = folder.path().join(EXACT_MATHS_NAME);
        std::fs::write(&header, EXACT_MATHS).map_err(run)?;
        arguments.extend(["-include".into(), header.into()]);
    }
    let done = Command::new(nvcc).args(arguments).arg(source).arg("-o").arg(&out).output().map_err(run)?;
    if !done.status.success() {
        let messages = format!("{}{}", String::from_utf8_lossy(&done.stderr), String::from_utf8_lossy(&done.stdout));
        return Err(BuildError::Compile { path: source.to_owned(), messages: messages.trim_end().to_owned() });
    }
    std::fs::read_to_string(&out).map_err(|error| BuildError::File { path: out, error })
}

fn with_nvrtc(path: &Path, arch: &str, exact_maths: bool) -> Result<String, BuildError> {
    use cudarc::nvrtc::{CompileError, CompileOptions, compile_ptx_with_opts};
    let source = std::fs::read_to_string(path).map_err(|error| BuildError::File { path: path.to_owned(), error })?;
    let failed = |messages: String| BuildError::Compile { path: path.to_owned(), messages };
    if source.contains('\0') {
        return Err(failed("the source has a NUL byte".into()));
    }
    let name = path.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
    let source = if exact_maths {
        format!("#line 1 \"{EXACT_MATHS_NAME}\"\n{EXACT_MATHS}\n#line 1 \"{name}\"\n{source}")
    } else {
        source
    };
    let folder = path.parent().map(|folder| folder.display().to_string()).unwrap_or_default();
    let options = CompileOptions {
        fmad: Some(false),
        include_paths: vec![folder],
        name: Some(name),
        options: vec![format!("--gpu-architecture={}", arch.replace("sm_", "compute_")), "-lineinfo".into()],
        ..Default::default()
    };
    match compile_ptx_with_opts(source, options) {
        Ok(ptx) => Ok(ptx.to_src()),
        Err(CompileError::CompileError { log, .. }) => Err(failed(log.to_string_lossy().trim_end().to_owned())),
        Err(error) => Err(BuildError::Run { compiler: Compiler::Nvrtc.to_string(), reason: format!("{error:?}") }),
    }
}

/// Leaves only file names in `.file` directives.
fn without_paths(ptx: &str) -> String {
    let mut out = String::with_capacity(ptx.len());
    for line in ptx.split_inclusive('\n') {
        let quoted =
            line.trim_start().starts_with(".file").then(|| Some((line.find('"')?, line.rfind('"')?))).flatten();
        match quoted
            .and_then(|(from, to)| Some((line.get(..=from)?, line.get(from.checked_add(1)?..to)?, line.get(to..)?)))
        {
            Some((before, path, after)) => {
                out.push_str(before);
                out.push_str(path.rsplit('/').next().unwrap_or(path));
                out.push_str(after);
            }
            None => out.push_str(line),
        }
    }
    out
}

/// Leaves out the `.loc` directives of `EXACT_MATHS`: they are most of the text where it is used.
fn without_lines_of_the_maths(ptx: &str) -> String {
    let file = ptx.lines().find_map(|line| {
        let (number, name) = line.trim().strip_prefix(".file")?.trim().split_once('"')?;
        (name.strip_prefix(EXACT_MATHS_NAME)?.starts_with('"')).then(|| number.trim())
    });
    let Some(file) = file else { return ptx.to_owned() };
    // What is inlined into a line that is not there any more goes as well: the driver refuses it.
    let mut seen = BTreeSet::new();
    let mut stays = |line: &str| {
        let Some(rest) = line.trim_start().strip_prefix(".loc") else { return true };
        let place = |words: &str| -> Vec<String> {
            words
                .split([' ', '\t', ','])
                .filter(|word| !word.is_empty())
                .take(3)
                .map(|word| word.trim().to_owned())
                .collect()
        };
        let (own, into) = match rest.split_once("inlined_at") {
            Some((own, into)) => (place(own), Some(place(into))),
            None => (place(rest), None),
        };
        let stays = own.first().is_none_or(|own| own != file) && into.is_none_or(|into| seen.contains(&into));
        if stays {
            seen.insert(own);
        }
        stays
    };
    ptx.split_inclusive('\n').filter(|line| stays(line)).collect()
}

/// Gives an entry that has the name of a function of `EXACT_MATHS` that name again.
fn with_entries_as_written(mut ptx: String) -> String {
    let entries: Vec<(String, String)> = ptx
        .lines()
        .filter_map(|line| {
            let name = line.split_once(".entry ")?.1.split('(').next()?.trim();
            Some((name.to_owned(), as_written(name)?))
        })
        .collect();
    for (name, written) in entries {
        ptx = ptx.replace(&name, &written);
    }
    ptx
}

/// `exp` for `assay_exp`, `_Z3expPf` for `_Z9assay_expPf`: a mangled name is preceded by its length.
fn as_written(name: &str) -> Option<String> {
    const PREFIX: &str = "assay_";
    if let Some(plain) = name.strip_prefix(PREFIX) {
        return EXACT_MATHS.contains(&format!("#define {plain} {name}\n")).then(|| plain.to_owned());
    }
    let (before, after) = name.split_once(PREFIX)?;
    let head = before.trim_end_matches(|c: char| c.is_ascii_digit());
    let length: usize = before.strip_prefix(head)?.parse().ok()?;
    let length = length.checked_sub(PREFIX.len())?;
    let plain = after.get(..length)?;
    EXACT_MATHS.contains(&format!("#define {plain} {PREFIX}{plain}\n")).then(|| format!("{head}{length}{after}"))
}

/// Writes a lower `.version`, for drivers that are older than the compiler; `None` when the PTX says the same or a lower one
/// already. The driver refuses PTX whose instructions need the newer version.
pub fn lower_version(ptx: &str, wanted: (u32, u32)) -> Option<String> {
    let start = ptx.match_indices(".version").map(|(at, _)| at).find(|at| {
        let before = ptx.get(..*at).unwrap_or_default();
        before.rsplit('\n').next().is_some_and(|line| line.trim().is_empty())
    })?;
    let end = ptx.get(start..)?.find('\n').map_or(ptx.len(), |offset| start.saturating_add(offset));
    let (major, minor) = ptx.get(start..end)?.trim_start_matches(".version").trim().split_once('.')?;
    let found: (u32, u32) = (major.trim().parse().ok()?, minor.trim().parse().ok()?);
    if found <= wanted {
        return None;
    }
    Some(format!("{}.version {}.{}{}", ptx.get(..start)?, wanted.0, wanted.1, ptx.get(end..)?))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn folders_of_this_machine_are_taken_out() {
        let ptx = "\t.loc 1 3 4\n\t.file\t1 \"/home/me/secret/blur.cu\"\n\t.file 2 \"x.h\", 1, 2\n// .file \"/a/b\"\n";
        let expected = "\t.loc 1 3 4\n\t.file\t1 \"blur.cu\"\n\t.file 2 \"x.h\", 1, 2\n// .file \"/a/b\"\n";
        assert_eq!(without_paths(ptx), expected);
    }

    #[test]
    fn lines_of_the_exact_maths_are_left_out() {
        let ptx = "\t.loc\t2 3 4\n\tret;\n\t.loc\t3 1 1, function_name $L__info_string2, inlined_at 2 3 4\n\t.loc\t12 3 4\n\t.file\t1 \"k.cu\"\n\t.file\t2 \"assay_math.cuh\"\n";
        let expected = "\tret;\n\t.loc\t12 3 4\n\t.file\t1 \"k.cu\"\n\t.file\t2 \"assay_math.cuh\"\n";
        assert_eq!(without_lines_of_the_maths(ptx), expected);
        assert_eq!(without_lines_of_the_maths("\t.loc 2 3 4\n"), "\t.loc 2 3 4\n");
    }

    #[test]
    fn entries_keep_the_names_that_the_exact_maths_rename() {
        let ptx = ".visible .entry _Z11assay_rsqrtPf(\n\t.param .u64 _Z11assay_rsqrtPf_param_0\n)\n";
        let expected = ".visible .entry _Z5rsqrtPf(\n\t.param .u64 _Z5rsqrtPf_param_0\n)\n";
        assert_eq!(with_entries_as_written(ptx.into()), expected);
        assert_eq!(as_written("assay_exp").as_deref(), Some("exp"));
        assert_eq!(as_written("_ZN2my9assay_expIfEEvPT_").as_deref(), Some("_ZN2my3expIfEEvPT_"));
        assert_eq!(as_written("assay_other"), None);
        assert_eq!(as_written("_Z5rsqrtPf"), None);
        assert_eq!(as_written("_Z99assay_exp"), None);
    }

    #[test]
    fn a_version_is_only_ever_lowered() {
        let ptx = "// .version 1.0\n.version 9.5\n.target sm_80\n";
        assert_eq!(lower_version(ptx, (8, 0)).unwrap(), "// .version 1.0\n.version 8.0\n.target sm_80\n");
        assert_eq!(lower_version(ptx, (9, 5)), None);
        assert_eq!(lower_version("no version", (8, 0)), None);
    }

    #[test]
    fn a_missing_compiler_says_how_to_get_one() {
        let message = BuildError::NoCompiler.to_string();
        assert!(message.contains("pip install nvidia-cuda-nvcc"), "{message}");
    }

    #[test]
    fn a_missing_source_is_named() {
        let compiler = Compiler::Nvcc("nvcc".into(), Vec::new());
        let error = compile_with(&compiler, Path::new("no/such.cu"), DEFAULT_ARCH, true).unwrap_err();
        assert_eq!(error.to_string(), "no/such.cu: No such file or directory (os error 2)");
    }
}
