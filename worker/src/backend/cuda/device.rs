//! The child that holds the GPU: it loads the PTX, runs the launches and sends back what they changed.

// The driver's interface is unsafe: launching a kernel trusts that its arguments fit. The parent has checked their number
// and lengths against the PTX, and whatever goes wrong on the device stays in this process.
#![allow(unsafe_code)]

use super::wire::{Frame, Request, read_bytes};
use crate::backend::written;
use assay_primitives::{Arg, Launch, program::MAX_ARG_BYTES};
use codec::DecodeAll;
use cudarc::{
    driver::{
        CudaContext, CudaFunction, CudaModule, CudaSlice, CudaStream, DevicePtr, DeviceRepr, DriverError, LaunchConfig,
        PushKernelArg, sys,
    },
    nvrtc::Ptx,
};
use std::{
    collections::HashMap,
    io::{BufWriter, Read as _, Write as _},
    sync::Arc,
};

/// Bytes of dynamic shared memory that a kernel may have without asking.
const PLAIN_SHARED: u32 = 48 * 1024;

/// One argument's bytes, aligned as any parameter may be. The driver copies as many as the parameter has.
#[derive(Clone, Copy)]
#[repr(C, align(16))]
struct Argument([u8; MAX_ARG_BYTES as usize]);

// SAFETY: plain bytes; the driver reads the parameter's length from their address.
unsafe impl DeviceRepr for Argument {}

/// Serves one request from standard input and answers on standard output.
pub fn serve() -> std::io::Result<()> {
    let mut input = std::io::stdin().lock();
    let mut output = BufWriter::new(std::io::stdout().lock());
    let request = read_bytes(&mut input)?;
    let result = match Request::decode_all(&mut request.as_slice()) {
        Ok(request) => {
            let count = request.program.buffers.len();
            let buffers = (0..count).map(|_| read_bytes(&mut input)).collect::<Result<Vec<_>, _>>()?;
            drop(input);
            die_with_the_parent();
            run(&request, buffers, &mut output)
        }
        Err(error) => Err(Failure::Wrong(format!("the request cannot be read: {error}"))),
    };
    match result {
        Ok(()) => Frame::Done.write(&mut output)?,
        Err(Failure::Pipe(error)) => return Err(error),
        Err(failure) => Frame::Failed(failure.to_string()).write(&mut output)?,
    }
    output.flush()
}

/// The parent keeps the pipe open as long as it lives and waits.
fn die_with_the_parent() {
    std::thread::spawn(|| {
        let _ = std::io::stdin().read(&mut [0]);
        std::process::exit(1);
    });
}

#[derive(Debug, thiserror::Error)]
enum Failure {
    #[error("{what}: {error}")]
    Driver { what: String, error: DriverError },
    #[error("{0}")]
    Wrong(String),
    #[error(transparent)]
    Pipe(#[from] std::io::Error),
}

fn driver(what: impl Into<String>) -> impl FnOnce(DriverError) -> Failure {
    let what = what.into();
    move |error| Failure::Driver { what, error }
}

fn run(request: &Request, buffers: Vec<Vec<u8>>, output: &mut impl std::io::Write) -> Result<(), Failure> {
    let context = CudaContext::new(request.ordinal as usize).map_err(driver("no context"))?;
    context.set_blocking_synchronize().map_err(driver("no context"))?;
    // One stream in order: events between kernels would only cost.
    // SAFETY: nothing is shared between streams.
    unsafe { context.disable_event_tracking() };
    let stream = context.default_stream();
    let modules = request.ptx.iter().map(|ptx| load(&context, ptx)).collect::<Result<Vec<_>, _>>()?;
    let mut memory: Vec<CudaSlice<u8>> = Vec::with_capacity(buffers.len());
    let mut host = buffers;
    for bytes in &host {
        memory.push(stream.clone_htod(bytes).map_err(driver(format!("a buffer of {} bytes", bytes.len())))?);
    }
    let mut functions: HashMap<(u16, Vec<u8>), CudaFunction> = HashMap::new();
    for number in 0u32.. {
        let Some(placed) = request.program.launch(number) else { break };
        let launch = placed.launch;
        let key = (launch.kernel, launch.entry.to_vec());
        let function = match functions.get(&key) {
            Some(function) => function.clone(),
            None => {
                let function = find(&modules, launch)?;
                functions.insert(key, function.clone());
                function
            }
        };
        let arguments = arguments(launch, placed.iteration, &memory, &stream)?;
        launch_kernel(&stream, &function, launch, &arguments)?;
        stream.synchronize().map_err(driver("the kernel failed"))?;
        for buffer in written(&launch.writes) {
            let index = usize::from(buffer);
            let (Some(device), Some(before)) = (memory.get(index), host.get_mut(index)) else { continue };
            let bytes = stream.clone_dtoh(device).map_err(driver("copying back"))?;
            stream.synchronize().map_err(driver("copying back"))?;
            if bytes != *before {
                before.clone_from(&bytes);
                Frame::Changed { buffer, bytes }.write(output)?;
            }
        }
        Frame::Launched.write(output)?;
        output.flush()?;
    }
    // Nothing of a customer's stays for the next process.
    for buffer in &mut memory {
        stream.memset_zeros(buffer).map_err(driver("clearing"))?;
    }
    stream.synchronize().map_err(driver("clearing"))
}

pub(super) fn module(context: &Arc<CudaContext>, ptx: &str) -> Result<Arc<CudaModule>, DriverError> {
    context.load_module(Ptx::from_src(ptx))
}

fn load(context: &Arc<CudaContext>, ptx: &[u8]) -> Result<Arc<CudaModule>, Failure> {
    let text = std::str::from_utf8(ptx).ok().filter(|text| !text.contains('\0'));
    let text = text.ok_or_else(|| Failure::Wrong("the PTX is no text".into()))?;
    module(context, text).map_err(driver("the driver does not take the PTX"))
}

fn find(modules: &[Arc<CudaModule>], launch: &Launch) -> Result<CudaFunction, Failure> {
    let name = std::str::from_utf8(&launch.entry).ok().filter(|name| !name.contains('\0'));
    let name = name.ok_or_else(|| Failure::Wrong("an entry's name is no text".into()))?;
    let module = modules.get(usize::from(launch.kernel));
    let module = module.ok_or_else(|| Failure::Wrong("a kernel is missing".into()))?;
    let function = module.load_function(name).map_err(driver(format!("the entry {name}")))?;
    if launch.shared > PLAIN_SHARED {
        let attribute = sys::CUfunction_attribute_enum::CU_FUNC_ATTRIBUTE_MAX_DYNAMIC_SHARED_SIZE_BYTES;
        let bytes = i32::try_from(launch.shared).unwrap_or(i32::MAX);
        function.set_attribute(attribute, bytes).map_err(driver("shared memory"))?;
    }
    Ok(function)
}

fn arguments(
    launch: &Launch,
    iteration: u32,
    memory: &[CudaSlice<u8>],
    stream: &Arc<CudaStream>,
) -> Result<Vec<Argument>, Failure> {
    let wrong = || Failure::Wrong("an argument names no byte of a buffer".into());
    launch
        .args
        .iter()
        .map(|arg| {
            let address = |index: u16, offset: u64| {
                let buffer = memory.get(usize::from(index)).ok_or_else(wrong)?;
                let (base, _) = buffer.device_ptr(stream);
                base.checked_add(offset).ok_or_else(wrong)
            };
            let bytes = match arg {
                Arg::Buffer { index, offset } => address(*index, *offset)?.to_le_bytes().to_vec(),
                Arg::Record { bytes, pointers } => {
                    let mut bytes = bytes.to_vec();
                    for pointer in pointers {
                        pointer.put(&mut bytes, address(pointer.index, pointer.offset)?).ok_or_else(wrong)?;
                    }
                    bytes
                }
                Arg::U8(value) => vec![*value],
                Arg::U16(value) => value.to_le_bytes().to_vec(),
                Arg::U32(value) | Arg::F32(value) => value.to_le_bytes().to_vec(),
                Arg::U64(value) | Arg::F64(value) => value.to_le_bytes().to_vec(),
                Arg::Bytes(bytes) => bytes.to_vec(),
                Arg::Iteration => u64::from(iteration).to_le_bytes().to_vec(),
            };
            let mut argument = Argument([0; MAX_ARG_BYTES as usize]);
            argument.0.iter_mut().zip(bytes).for_each(|(to, from)| *to = from);
            Ok(argument)
        })
        .collect()
}

fn launch_kernel(
    stream: &Arc<CudaStream>,
    function: &CudaFunction,
    launch: &Launch,
    arguments: &[Argument],
) -> Result<(), Failure> {
    let [grid_x, grid_y, grid_z] = launch.grid;
    let [block_x, block_y, block_z] = launch.block;
    let config = LaunchConfig {
        grid_dim: (grid_x, grid_y, grid_z),
        block_dim: (block_x, block_y, block_z),
        shared_mem_bytes: launch.shared,
    };
    let mut builder = stream.launch_builder(function);
    for argument in arguments {
        builder.arg(argument);
    }
    // SAFETY: the parent checked number and lengths of the arguments against the entry's parameters; buffers outlive the
    // launch, which is synchronised before anything else happens to them.
    unsafe { builder.launch(config) }.map_err(driver("the kernel cannot be launched"))?;
    Ok(())
}

/// Runs a kernel that counts and says whether it counted right.
pub(super) fn self_test(context: &Arc<CudaContext>) -> Result<bool, DriverError> {
    const THREADS: u32 = 64;
    let stream = context.default_stream();
    let function = module(context, include_str!("probe.ptx"))?.load_function("probe")?;
    let memory = stream.alloc_zeros::<u8>(THREADS as usize * 4)?;
    let mut argument = Argument([0; MAX_ARG_BYTES as usize]);
    let (base, _) = memory.device_ptr(&stream);
    argument.0.iter_mut().zip(base.to_le_bytes()).for_each(|(to, from)| *to = from);
    let config = LaunchConfig { grid_dim: (1, 1, 1), block_dim: (THREADS, 1, 1), shared_mem_bytes: 0 };
    // SAFETY: the kernel takes one pointer and writes four bytes a thread behind it.
    unsafe { stream.launch_builder(&function).arg(&argument).launch(config) }?;
    let bytes = stream.clone_dtoh(&memory)?;
    stream.synchronize()?;
    let expected =
        (0..THREADS).flat_map(|thread| thread.wrapping_mul(1_664_525).wrapping_add(1_013_904_223).to_le_bytes());
    Ok(bytes.into_iter().eq(expected))
}

/// The driver's version: 1000 · major + 10 · minor.
pub(super) fn driver_version() -> Result<i32, DriverError> {
    let mut version = 0;
    // SAFETY: the driver writes one integer.
    unsafe { sys::cuDriverGetVersion(&raw mut version) }.result()?;
    Ok(version)
}

/// Whether a CUDA driver can be opened at all.
pub(super) fn is_present() -> bool {
    // SAFETY: opens the library by its name and nothing more.
    unsafe { sys::is_culib_present() }
}
