// The order of validators, for consensus, genesis and governance alike.

/** Takes one member of each organisation in turn, the first of each first, so that consecutive primaries belong to different organisations. */
export function alternateOrganisations<T extends { readonly organisation: string }>(members: readonly T[]): readonly T[] {
  const queues = new Map<string, T[]>()
  for (const one of members) queues.set(one.organisation, [...(queues.get(one.organisation) ?? []), one])
  const out: T[] = []
  while (out.length < members.length) {
    for (const queue of queues.values()) {
      const next = queue.shift()
      if (next !== undefined) out.push(next)
    }
  }
  return out
}
