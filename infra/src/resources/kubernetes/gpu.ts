import type { Environment } from "../../spec/platform.ts";
import type { GpuPool } from "../../spec/target.ts";

/** Pools of nodes with accelerators, wherever the target keeps them. */
export const gpuPoolsOf = ({ target }: Environment): readonly GpuPool[] =>
  target.kind === "kubernetes" ? target.gpuPools : target.cluster.gpuPools;
