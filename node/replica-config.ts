// What a replica is configured with: the genesis says all of it but the key.
import type { ReplicaConfig } from '../consensus/config.ts'
import type { ForgottenVotes } from '../consensus/votes.ts'
import { chainIdOf, type Genesis, genesisRef } from '../genesis/genesis.ts'
import { referencesOf } from './payloads.ts'
import type { Signer } from './world.ts'

/** The key of nobody: a replica with it follows and never signs. */
const noKey = new Uint8Array(32)

export function replicaConfigOf(genesis: Genesis, signer: Signer, mayVote: boolean, forgotten: ForgottenVotes | undefined): ReplicaConfig {
  const { window, checkpointInterval, viewTimeoutMs, viewTimeoutMaxMs, retransmitMs, heartbeatMs, checkpointIdleMs, pipelineDepth } = genesis.consensus
  return {
    chain: chainIdOf(genesis),
    genesis: genesisRef(genesis),
    parameters: { window, checkpointInterval },
    timing: { viewTimeoutMs, viewTimeoutMaxMs, retransmitMs, heartbeatMs, checkpointIdleMs },
    pipelineDepth,
    publicKey: mayVote ? signer.publicKey : noKey,
    ...(forgotten === undefined ? {} : { forgotten }),
    sign: signer.sign,
    bindsManifest: (header, manifest) => referencesOf(header, manifest) !== undefined,
  }
}
