/** A mistake of the catalogue that no text shows, and why. */
export type Unseen = { mistake: string; why: string };

export const unseen: readonly Unseen[] = [];
