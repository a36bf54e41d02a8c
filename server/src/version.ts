/** Plinth's own version. */
export const PLINTH_VERSION = "0.1.0";

/**
 * The MLflow release whose API is served. Clients read it from `/version` and switch behaviour on it,
 * so it must be a version in the form of PEP 440, and MLflow's.
 */
export const MLFLOW_API_VERSION = "3.17.2";
