import { stageFolder } from "../terraform-state.ts";

/** Folder of a module of the cluster stage. */
export const moduleFolder = (name: string): string => `${stageFolder("cluster")}/modules/${name}`;
