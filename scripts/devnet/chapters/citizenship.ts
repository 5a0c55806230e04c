// The first digital citizenship card: a DID that a registrar countersigned, and a credential of which the chain holds a salted hash only.
import { sha256 } from '../../../primitives/hash.ts'
import { concatBytes, toBase64url, utf8 } from '../../../primitives/bytes.ts'
import type { Hash } from '../../../primitives/brand.ts'
import { multikeyOf } from '../../../state/transaction.ts'
import { recoveryHashOf } from '../../../state/did/types.ts'
import { keyPairFromSeed } from '../../../primitives/ed25519.ts'
import { getResolver, issueCitizenshipCard, present, statusFromNode, verifyPresentation } from '../../../rpc/client/index.ts'
import { expect, expectEqual, type Story } from '../story.ts'
import type { Chapter, Tell } from './chapter.ts'

const cardValidMs = 5 * 365 * 86_400_000
/** Of the card in the issuer's lists; drawn at random, since neighbours in a list would tell who came when. */
const cardIndex = 3_141_592

/** Citizens of our invention. None of these names ever reaches a block. */
export const citizens = { first: '김동백', two: '이하늘', three: '박바다', youth: '최새벽' } as const

export const citizenship: Chapter = {
  title: '디지털 시민증 · the first digital citizenship card',
  play: async (story, tell) => {
    await register(story, tell, 'first', citizens.first)
    await issueCard(story, tell)
    for (const name of ['two', 'three', 'youth'] as const) await register(story, tell, name, citizens[name])
  },
}

/** A citizen comes to the counter with a phone: the phone makes the keys, the registrar looks at the person and countersigns. */
export async function register(story: Story, tell: Tell, name: string, shown: string): Promise<void> {
  const wallet = story.citizen(name)
  const recovery = recoveryHashOf(multikeyOf(keyPairFromSeed(story.bytesFor(`recovery/${name}`)).publicKey))
  const receipt = await story.send(`register-${name}`, {
    kind: 'did.register',
    by: wallet,
    countersigned: [story.office('registrar')],
    payload: { keys: [wallet.didKey], services: [], recovery },
  })
  tell(`${shown} has ${wallet.did}`, receipt)
}

async function issueCard(story: Story, tell: Tell): Promise<void> {
  const { client } = story
  const { did } = story.citizen('first')
  const resolved = await client.call('did_resolve', { did })
  expectEqual((resolved as unknown as { readonly didDocument: { readonly id?: string } }).didDocument.id, did, 'the DID that resolves')

  // what the issuer hands to the phone; the salt keeps anyone from guessing the content behind the hash
  const issuer = story.office('issuer')
  const lists = { revocation: 'citizenship', suspension: 'citizenship-suspended' } as const
  for (const purpose of ['revocation', 'suspension'] as const) await story.send(`status-list-${purpose}`, { kind: 'credential.setStatus', by: issuer, payload: { list: lists[purpose], purpose, indexes: [], status: true } })
  const { genesis } = (await client.call('chain_genesis', {})) as unknown as { readonly genesis: { readonly timeMs: number } }
  const { timeMs } = genesis
  const card = await issueCitizenshipCard({ holder: did, livingArea: 'haeundae-1', validFromMs: timeMs, validUntilMs: timeMs + cardValidMs, index: cardIndex, lists, statusBase: 'https://node.busan.example/credentials/status' }, issuer)
  const hash = sha256(concatBytes(story.bytesFor('card-salt/first'), utf8(JSON.stringify(card)))) as Hash
  const anchored = await story.send('anchor-card', { kind: 'credential.anchor', by: issuer, payload: { hashes: [hash] } })
  const anchor = await client.call('credential_anchor', { hash: toBase64url(hash) })
  expect(anchor.issuer === issuer.did, 'the anchor names the issuer')

  // the first time at a counter: the hall asks with a challenge, the phone shows the card, the hall looks at keys and status
  const request = { challenge: toBase64url(story.bytesFor('challenge/hall')), domain: 'https://hall.busan.example' }
  const shown = await present([card], story.citizen('first'), request, Date.now())
  const { holder, credentials } = await verifyPresentation(shown, request, { resolver: getResolver(client).dongbaek, nowMs: Date.now(), status: statusFromNode(client) })
  expect(holder === did && credentials[0]?.issuer === issuer.did, 'the card that was shown is the holder’s, by the issuer')
  tell(`the first card is issued to ${citizens.first}; on the chain is its salted hash ${toBase64url(hash)}`, anchored)
}
