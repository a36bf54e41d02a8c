/** A mistake of the catalogue that no text shows, and why. */
export type Unseen = { mistake: string; why: string };

export const unseen: readonly Unseen[] = [
  {
    mistake: "E57",
    why: "It is no mistake: the flavor `gcp` of artifact stores is right. `gcs`, which would be wrong, is refused by command/zenml-component, rest/zenml-body and the rules on zenml_stack_component.",
  },
  {
    mistake: "E61",
    why: "It is a gap of ZenML, not of a file: there is no model deployer for KServe, and a file without one looks like any other. Where somebody registers one, the flavor is refused.",
  },
];
