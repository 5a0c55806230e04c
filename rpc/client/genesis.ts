// Where trust begins: the hash of the genesis, which the city has published. Everything else is checked from it.
import { unpack } from '#messagepack'
import { validatorSet } from '../../consensus/validators.ts'
import { fromBase64url, toHex } from '../../primitives/bytes.ts'
import { DongbaekError } from '../../primitives/errors.ts'
import { taggedHash } from '../../primitives/hash.ts'
import { slug, type Wire } from '../../primitives/schema.ts'
import type { Client } from './client.ts'
import { type Trust, trustFromGenesis } from './verify.ts'

/** Of genesis/genesis.ts: version, name, timeMs, validators, minimums, …, and of a validator name, organisation, publicKey, … */
const genesisVersion = 1
const validatorFields = 3

/**
 * Asks any node for the genesis, and believes it if it has this hash: 64 hex digits, as every node prints it at its start. Kept, the trust need not be asked for again.
 * Throws `proof/genesis`, and like `client.call`.
 */
export async function trustFromGenesisHash(client: Pick<Client, 'call'>, hash: string): Promise<Trust> {
  const bytes = fromBase64url((await client.call('chain_genesisBytes', {})).bytes)
  const actual = bytes === undefined ? '' : toHex(taggedHash('genesis', bytes))
  if (bytes === undefined || actual !== hash) throw new DongbaekError('proof/genesis', `the node's genesis has another hash: it is of another network, or lies`, { expected: hash, actual })
  // nothing but the true genesis comes here, so its parts need no doubt; a later version of it does
  const [version, name, , validators, minimums] = unpack(bytes) as readonly Wire[]
  if (version !== genesisVersion) throw new DongbaekError('proof/genesis', `the genesis has a version that this client cannot read: take a later client`, { version: Number(version) })
  const set = validatorSet.fromWire([(validators as readonly (readonly Wire[])[]).map((one) => one.slice(0, validatorFields)), minimums as Wire], 'genesis')
  return trustFromGenesis(`${slug.fromWire(name as Wire, 'name')}-${hash.slice(0, 16)}`, set)
}
