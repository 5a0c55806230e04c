// state_…, events_since and the bodies of posts.
import { DongbaekError } from '../../primitives/errors.ts'
import { communityGetBody, communityPutBody } from '../api/community.ts'
import { eventsBlockProof, eventsProof, eventsSince } from '../api/events.ts'
import { stateProof, stateSnapshotInfo } from '../api/state.ts'
import { storedResults } from './chain.ts'
import { type Method, serve } from './method.ts'
import { proveLeaf, proveLeaves } from './tx.ts'

const eventsDefault = 100

export const stateMethods: readonly Method[] = [
  serve(stateProof, ({ backend }, { keys }) => backend.prove(keys)),

  serve(stateSnapshotInfo, async ({ backend }) => ({
    snapshots: backend.snapshots(),
    oldestHeight: backend.oldestHeight(),
    headHeight: backend.head().height,
    checkpointHeight: (await backend.checkpoint())?.content.height,
  })),

  serve(eventsSince, ({ feed }, { cursor = '', filter, limit = eventsDefault }) => feed.page('events', cursor, filter, limit)),

  serve(eventsProof, async ({ backend }, { height, index }) => {
    const { outcome, receipts } = storedResults(backend, height)
    let place = index
    for (const [leaf, { events }] of [outcome, ...receipts].entries()) {
      if (place < events.length) return { ...(await proveLeaf(backend, height, leaf)), place }
      place -= events.length
    }
    throw new DongbaekError('events/not-found', `block ${height} has ${index - place} events`, { height, events: index - place })
  }),

  serve(eventsBlockProof, ({ backend }, { height }) => proveLeaves(backend, height)),

  serve(communityPutBody, async ({ backend }, { body }) => ({ hash: await backend.putBody(body) })),

  serve(communityGetBody, async ({ backend }, { hash }) => {
    const body = await backend.getBody(hash)
    if (body === undefined) throw new DongbaekError('community/not-found', 'no body with this hash is kept here: it was erased, or never came to this node')
    return { body }
  }),
]
