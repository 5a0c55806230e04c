// state_…, events_since and the bodies of posts.
import { DongbaekError } from '../../primitives/errors.ts'
import { communityGetBody, communityPutBody } from '../api/community.ts'
import { eventsSince } from '../api/events.ts'
import { stateProof, stateSnapshotInfo } from '../api/state.ts'
import { type Method, serve } from './method.ts'

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

  serve(communityPutBody, async ({ backend }, { body }) => ({ hash: await backend.putBody(body) })),

  serve(communityGetBody, async ({ backend }, { hash }) => {
    const body = await backend.getBody(hash)
    if (body === undefined) throw new DongbaekError('community/not-found', 'no body with this hash is kept here: it was erased, or never came to this node')
    return { body }
  }),
]
