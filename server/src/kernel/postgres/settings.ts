import { statfsSync } from "node:fs";
import { availableParallelism, totalmem } from "node:os";

export type Machine = { memoryBytes: number; cpus: number; sharedMemoryBytes: number };

const MIB = 1024 * 1024;

/** The part of the machine this process may use: limits of its cgroup count, not only what is built in. */
export function readMachine(): Machine {
  const limit = process.constrainedMemory();
  return {
    memoryBytes: limit > 0 && limit < totalmem() ? limit : totalmem(),
    cpus: availableParallelism(),
    sharedMemoryBytes: sizeOfSharedMemory(),
  };
}

/** The size of /dev/shm: 64 MiB in a plain Docker container, too little for parallel queries. */
function sizeOfSharedMemory(): number {
  try {
    const { bsize, blocks } = statfsSync("/dev/shm");
    return bsize * blocks;
  } catch {
    return 0;
  }
}

const clamp = (value: number, min: number, max: number): number =>
  Math.min(max, Math.max(min, Math.floor(value)));

/**
 * Settings of the embedded server. It shares its machine with Plinth and, on a laptop, with the
 * training itself, so it takes a thirty-second of the memory as its own cache and leaves the rest to the
 * system's. Whatever makes a commit durable is said in full: nothing may turn it off by default.
 */
export function postgresSettings(machine: Machine): Record<string, string> {
  const memory = machine.memoryBytes / MIB;
  const { cpus } = machine;
  const mb = (value: number, min: number, max: number): string => `${clamp(value, min, max)}MB`;
  return {
    fsync: "on",
    synchronous_commit: "on",
    full_page_writes: "on",
    wal_compression: "on",

    // Memory. Each GiB of shared_buffers costs 20 MiB of bookkeeping even when idle.
    shared_buffers: mb(memory / 32, 32, 4096),
    effective_cache_size: mb(memory / 2, 128, 1024 * 1024),
    work_mem: mb(memory / 512, 4, 64),
    maintenance_work_mem: mb(memory / 32, 32, 1024),
    autovacuum_work_mem: mb(memory / 64, 16, 256),
    wal_buffers: mb(memory / 512, 4, 16),
    // Container platforms that offer huge pages but give none kill the server with SIGBUS.
    huge_pages: "off",
    dynamic_shared_memory_type: machine.sharedMemoryBytes >= 256 * MIB ? "posix" : "mmap",

    // Checkpoints are spread wide: every one makes the next write of each page log it whole.
    checkpoint_timeout: "15min",
    checkpoint_completion_target: "0.9",
    max_wal_size: mb(memory / 4, 512, 8192),
    min_wal_size: mb(memory / 32, 80, 512),

    max_connections: "100",
    max_worker_processes: String(clamp(cpus, 2, 16)),
    max_parallel_workers: String(clamp(cpus, 2, 16)),
    max_parallel_workers_per_gather: String(clamp(cpus / 2, 1, 4)),
    // Every worker is a process; reads ahead pay off only where there are cores to spare.
    io_method: cpus >= 4 ? "worker" : "sync",
    io_workers: String(clamp(cpus / 4, 1, 8)),
    // Without logical replication its launcher needs no process.
    max_logical_replication_workers: "0",
    max_wal_senders: "2",
    max_locks_per_transaction: "128",

    // The planner: SSDs, and statements too short for just-in-time compilation to pay.
    jit: "off",
    random_page_cost: "1.1",
    default_statistics_target: "200",

    // Rows arrive in bursts and some are updated all the time (latest metrics): vacuum early, in small bites.
    autovacuum_naptime: "15s",
    autovacuum_max_workers: String(clamp(cpus, 2, 4)),
    autovacuum_vacuum_scale_factor: "0.05",
    autovacuum_vacuum_insert_scale_factor: "0.1",
    autovacuum_analyze_scale_factor: "0.05",
    autovacuum_vacuum_cost_limit: "1000",

    shared_preload_libraries: "pg_stat_statements",
    "pg_stat_statements.max": "1000",
    "pg_stat_statements.track_utility": "off",

    idle_in_transaction_session_timeout: "5min",
    timezone: "UTC",
    log_timezone: "UTC",
    logging_collector: "off",
    log_line_prefix: "%m [%p] ",
    log_lock_waits: "on",
    log_min_duration_statement: "2s",
    // Parameters are users' data and may be secrets.
    log_parameter_max_length: "0",
    log_parameter_max_length_on_error: "0",
    cluster_name: "plinth",
  };
}
