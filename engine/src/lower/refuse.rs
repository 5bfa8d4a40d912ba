//! Why an instruction cannot be exact, in one sentence, with the way round it.

use super::Mods;
use alloc::{borrow::ToOwned, format, string::String};

/// Refuses instructions by their name and modifiers.
pub(super) fn opcode(mods: &Mods<'_>) -> Option<String> {
    let opcode = mods.opcode;
    Some(match mods.name {
        "ex2" | "lg2" | "sin" | "cos" | "tanh" | "rsqrt" => return Some(approximate(mods)),
        _ if mods.has("approx") || mods.has("full") => return Some(approximate(mods)),
        "atom" | "red"
            if mods.words().iter().any(|word| matches!(*word, "f16" | "f16x2" | "bf16" | "bf16x2" | "f32" | "f64")) =>
        {
            format!(
                "`{opcode}` adds floating-point numbers in an order that is not fixed: reduce through shared memory in a fixed order, or fix the order with `serial` in the job file"
            )
        }
        "clock" => "clocks are not deterministic".to_owned(),
        "tex" | "tld4" | "txq" | "suld" | "sust" | "sured" | "suq" | "istypep" => {
            format!("`{opcode}`: textures and surfaces are not supported: read a buffer")
        }
        "activemask" => {
            "`activemask`, which `coalesced_threads()` takes, depends on how the hardware schedules threads: pass the mask that the program means"
                .to_owned()
        }
        "shfl" | "vote" | "match" | "redux" if !mods.has("sync") => {
            format!("`{opcode}` depends on how the hardware schedules threads: use the `_sync` form with a mask")
        }
        "st" | "red" if mods.has("async") => {
            format!("`{opcode}`: asynchronous stores are not supported: store with plain instructions")
        }
        "cp" if mods.has("async") && !mods.has("bulk") && !mods.has("mbarrier") => return None,
        "mbarrier" => format!("`{opcode}`: barriers in memory (`cuda::barrier`) are not supported: use `__syncthreads()`"),
        "cp"
        | "st_async"
        | "multimem"
        | "tcgen05"
        | "wgmma"
        | "clusterlaunchcontrol"
        | "mapa"
        | "getctarank"
        | "fabric" => {
            format!(
                "`{opcode}`: asynchronous copies and clusters are not supported: load and store with plain instructions"
            )
        }
        "wmma" if mods.words().iter().any(|word| matches!(*word, "f16" | "bf16" | "tf32" | "f32" | "f64")) => format!(
            "`{opcode}`: neither the order of the sum nor which thread holds which element is specified: use `mma.sync` with integer types, or plain arithmetic"
        ),
        "discard" => format!("`{opcode}` leaves memory with no specified contents: leave it out"),
        "elect" => format!("`{opcode}` may elect any thread: choose one by its lane"),
        "alloca" | "stacksave" | "stackrestore" => {
            format!("`{opcode}`: local memory of a size that is only known when it runs is not supported: use an array of a fixed size")
        }
        "brkpt" => format!("`{opcode}` is not supported: its effect is not part of the result"),
        "barrier" | "bar" if mods.has("cluster") => "thread-block clusters are not supported".to_owned(),
        _ => return None,
    })
}

/// The reason for approximate arithmetic.
pub(super) fn approximate(mods: &Mods<'_>) -> String {
    let opcode = mods.opcode;
    let way = match mods.name {
        "ex2" | "lg2" | "sin" | "cos" | "tanh" | "rsqrt" | "rcp" | "sqrt" | "div" => {
            "`assay kernel exact` replaces it by an exact one; or compile with assay_math.cuh, and without fast maths"
        }
        _ => "use the form with a rounding modifier",
    };
    format!("`{opcode}` is approximate, and its bits differ between architectures: {way}")
}

/// The reason for a modifier that selection did not take.
pub(super) fn modifier(opcode: &str, word: &str) -> String {
    format!("the modifier `.{word}` of `{opcode}` is not supported")
}

/// The reason for a special register that is not a function of the launch.
pub(super) fn special(name: &str) -> Option<String> {
    let reason = match name.split('.').next().unwrap_or(name) {
        "%clock" | "%clock_hi" | "%clock64" | "%globaltimer" | "%globaltimer_lo" | "%globaltimer_hi" => {
            "clocks are not deterministic"
        }
        "%smid" | "%nsmid" | "%gridid" | "%warpid" | "%nwarpid" => {
            "it depends on where the hardware runs the thread: compute what you need from threadIdx and blockIdx"
        }
        "%clusterid"
        | "%nclusterid"
        | "%cluster_ctaid"
        | "%cluster_nctaid"
        | "%cluster_ctarank"
        | "%cluster_nctarank"
        | "%is_explicit_cluster" => "thread-block clusters are not supported",
        "%total_smem_size" | "%aggr_smem_size" | "%reserved_smem_offset_begin" | "%reserved_smem_offset_end" => {
            "the size of allocated shared memory differs between architectures"
        }
        name if name.starts_with("%reserved_smem_offset") => {
            "where reserved shared memory lies differs between architectures"
        }
        "%current_graph_exec" => "graphs are not supported",
        "%envreg1" | "%envreg2" => {
            "thread blocks cannot wait for each other, as grid.sync() of cooperative groups does: split the kernel into launches"
        }
        name if name.starts_with("%envreg") || name.starts_with("%pm") => "it is not a function of the launch",
        _ => return None,
    };
    Some(format!("`{name}`: {reason}"))
}
