//! Putting the worker together.

use crate::{
    backend::{
        Backend, Cpu,
        cuda::{self, Cuda},
    },
    blobs::Store,
    config::{Choice, Config},
    desk::Desk,
    job::{Context, Provider, journal::Journal, witness::Cache},
    metrics::Metrics,
    server::{self, Limits, Server},
};
use anyhow::Context as _;
use assay_client::{Client, account};
use std::{path::Path, sync::Arc, time::Duration};
use tokio::sync::watch;

/// Bytes of blobs kept in memory for witnesses.
const CACHE: u64 = 1 << 30;
/// How long open connections may go on after the end was asked for.
const GRACE: Duration = Duration::from_secs(3);

/// Finds the backend that the provider chose; `program` is the worker's executable.
pub fn backend(choice: Choice, program: &Path) -> anyhow::Result<Arc<dyn Backend>> {
    let cuda = |gpus: Vec<cuda::Gpu>| {
        let gpu = gpus.into_iter().next().context("the probe found no GPU")?;
        anyhow::Ok(Arc::new(Cuda::new(program.to_owned(), gpu)))
    };
    match choice {
        Choice::Cpu => Ok(Arc::new(Cpu::default())),
        Choice::Cuda => Ok(cuda(cuda::probe(program)?)?),
        Choice::Auto => match cuda::probe(program) {
            Ok(gpus) => Ok(cuda(gpus)?),
            Err(absence) => {
                tracing::info!("{absence}: the CPU engine runs the jobs");
                Ok(Arc::new(Cpu::default()))
            }
        },
    }
}

/// Runs the worker until `shutdown` says so.
pub async fn run(config: Config, program: &Path, shutdown: watch::Receiver<bool>) -> anyhow::Result<()> {
    std::fs::create_dir_all(&config.data).with_context(|| format!("cannot create {}", config.data.display()))?;
    let lock = Lock::take(&config.data)?;
    let backend = tokio::task::spawn_blocking({
        let (choice, program) = (config.backend, program.to_owned());
        move || backend(choice, &program)
    })
    .await??;
    let store = Store::open(config.data.join("blobs"), config.limits.disk)?;
    let desk = Arc::new(Desk::default());
    let cache = Arc::new(Cache::new(store.clone(), CACHE));
    let metrics = Metrics::new()?;
    let listener =
        server::listen(config.listen).await.with_context(|| format!("cannot listen on {}", config.listen))?;
    tracing::info!("operator {}, backend {}", account::to_ss58(&config.operator), backend.name());
    tracing::info!("blobs and witnesses are served on http://{}", listener.local_addr()?);
    if let Some(sabotage) = config.sabotage {
        tracing::error!("this worker misbehaves on purpose ({sabotage:?}); it will lose its bond, its pay or its time");
    }
    let server = Server::new(
        store.clone(),
        desk.clone(),
        cache.clone(),
        metrics.clone(),
        Limits::default(),
        backend.name(),
        config.sabotage,
    );
    let mut stop = shutdown.clone();
    let mut serving = tokio::spawn(server.serve(listener, async move {
        let _ = stop.wait_for(|stop| *stop).await;
    }));

    let mut stop = shutdown.clone();
    let working = async {
        let client = Client::connect_patiently(&config.node).await?;
        desk.set_genesis(client.genesis());
        desk.set_height(client.best().await?.0);
        // Orders are numbered from 0 on every chain.
        let journal = Journal::open(config.data.join("jobs").join(hex::encode(client.genesis())))?;
        let parameters = client.parameters().await?;
        tracing::info!("chain 0x{} at {}", hex::encode(client.genesis()), client.url());
        let (_, height) = watch::channel(0);
        let context = Context { config, client, store, journal, desk, backend, cache, metrics, parameters, height };
        let provider = tokio::task::spawn_blocking(move || Provider::new(context)).await??;
        provider.run(shutdown).await?;
        anyhow::Ok(())
    };
    let served = tokio::select! {
        ended = &mut serving => Some(ended),
        worked = working => {
            worked?;
            None
        }
        _ = stop.wait_for(|stop| *stop) => None,
    };
    match served {
        Some(ended) => ended?.context("the server failed")?,
        None if tokio::time::timeout(GRACE, serving).await.is_err() => tracing::info!("open connections are cut"),
        None => {}
    }
    drop(lock);
    Ok(())
}

/// One worker per folder.
struct Lock {
    _file: std::fs::File,
}

impl Lock {
    fn take(folder: &Path) -> anyhow::Result<Self> {
        let path = folder.join("lock");
        let file = std::fs::File::options().create(true).truncate(false).write(true).open(&path)?;
        file.try_lock().map_err(|_| anyhow::anyhow!("another worker uses {}", folder.display()))?;
        Ok(Self { _file: file })
    }
}
