// Submit and wait: the one way in which an application should send. The same bytes go to node after node until a receipt is there or time is up.
import { toBase64url } from '../../primitives/bytes.ts'
import { DongbaekError } from '../../primitives/errors.ts'
import type { Client } from './client.ts'
import type { ResultJson } from './methods.ts'
import { platform } from './platform.ts'
import type { SignedTransaction } from './transaction.ts'

export type ReceiptJson = ResultJson<'tx_wait'>

export interface WaitOptions {
  /** Default 60 s. Then the answer is `tx/not-final`: its fate is open, and the same bytes may be submitted and waited for again. */
  readonly timeoutMs?: number
  /** How long one node is waited at before the bytes are handed in again. Default 10 s. */
  readonly stepMs?: number
}

/**
 * The final receipt, whose status is `ok` or `refused`: a refusal by a rule is an answer, not an error.
 * Throws `tx/not-final` when time is up, and what `tx_submit` throws for bytes that can never run.
 */
export async function submitAndWait(client: Client, signed: SignedTransaction, { timeoutMs = 60_000, stepMs = 10_000 }: WaitOptions = {}): Promise<ReceiptJson> {
  const transaction = toBase64url(signed.bytes)
  const id = toBase64url(signed.id)
  const until = platform.Date.now() + timeoutMs
  let submitted = false
  for (;;) {
    submitted = await submitOnce(client, transaction, id, submitted)
    const leftMs = until - platform.Date.now()
    const receipt = await waitOnce(client, id, Math.max(0, Math.min(leftMs, stepMs)))
    if (receipt !== undefined) return receipt
    if (leftMs <= stepMs) throw new DongbaekError('tx/not-final', `not final within ${timeoutMs} ms; its fate is open, submit and wait for the same bytes again`, { id, timeoutMs })
  }
}

/** Once it was taken by one node, what another says (expired, full, duplicate) decides nothing: the receipt does. */
async function submitOnce(client: Client, transaction: string, id: string, submitted: boolean): Promise<true> {
  try {
    await client.call('tx_submit', { transaction })
  } catch (thrown) {
    if (submitted) return true
    // an earlier attempt, of another session perhaps, may have run: then its receipt is the answer
    if (thrown instanceof DongbaekError && (thrown.code === 'tx/duplicate' || thrown.code === 'tx/expired') && (await waitOnce(client, id, 0)) !== undefined) return true
    throw thrown
  }
  return true
}

async function waitOnce(client: Client, id: string, timeoutMs: number): Promise<ReceiptJson | undefined> {
  try {
    return await client.call('tx_wait', { id, timeoutMs }, { waitMs: timeoutMs })
  } catch (thrown) {
    if (thrown instanceof DongbaekError && thrown.code === 'tx/not-final') return undefined
    throw thrown
  }
}
