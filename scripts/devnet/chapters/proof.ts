// What a phone does that trusts no node: it checks the receipt of a purchase from the genesis alone.
import { validatorSetOf } from '../../../genesis/genesis.ts'
import type { TransactionId } from '../../../primitives/brand.ts'
import type { Json } from '../../../primitives/schema.ts'
import { trustFromGenesis, verifyTransactionProof } from '../../../rpc/client/index.ts'
import { bytesOf, expect, expectEqual } from '../story.ts'
import type { Chapter } from './chapter.ts'

export const proof: Chapter = {
  title: '증명 · checked without trusting the node',
  play: async ({ client, chainId, network, journal }, tell) => {
    const purchase = journal.entry('spend-books')
    expect(purchase !== undefined, 'the books were bought')
    const answer = await client.call('tx_proof', { id: purchase.id })
    const { receipt, header } = verifyTransactionProof(trustFromGenesis(chainId, validatorSetOf(network.genesis)), bytesOf(purchase.id) as TransactionId, answer as unknown as Json)
    expectEqual([receipt.height, receipt.status], [purchase.height ?? 0, 'ok'], 'the proven receipt')
    tell(`the receipt of the books is proven from the genesis: block ${header.height} is in a state that ${answer.checkpoint.signatures.length} validators certified at height ${answer.checkpoint.content.height}`)
  },
}
