// What must hold of every block, whatever was in it: asked of the rows that it changed and of its receipts, with sums of its own.
import { toHex as hex } from '../../primitives/bytes.ts'
import { assert } from '../../primitives/errors.ts'
import { countsTable } from '../../state/community/keys.ts'
import { didTable } from '../../state/did/documents.ts'
import type { Executed } from '../../state/execute.ts'
import type { ReadyTransaction } from '../../state/families.ts'
import { accountTable, sumsTable } from '../../state/points/keys.ts'
import { seatsTable, slotTable } from '../../state/reservation/keys.ts'
import { decodeValue, keyParts, type Table } from '../../state/table.ts'
import type { StateChange } from '../../state/view.ts'

function changed<T>(changes: readonly StateChange[], table: Table<T>): readonly { readonly key: readonly string[]; readonly value: T }[] {
  return changes.flatMap(({ key, value }) => (value !== undefined && key.startsWith(`${table.name}/`) ? [{ key: keyParts(key), value: decodeValue(table, value) }] : []))
}

/** Checks the blocks of one life, one after the other. */
export function createInvariants(): (transactions: readonly ReadyTransaction[], executed: Executed) => void {
  const capacities = new Map<string, number>()
  const versions = new Map<string, number>()
  const ids = new Set<string>()
  return (transactions, { receipts, changes }) => {
    transactions.forEach(({ transaction }, i) => {
      const receipt = receipts[i]
      const id = hex(transaction.id)
      assert(receipt !== undefined && receipt.index === i && hex(receipt.id) === id, 'a receipt for each transaction, in order')
      assert((receipt.status === 'ok') === (receipt.code === undefined), 'a code for each refusal')
      assert(receipt.status === 'ok' || receipt.events.length === 0, 'nothing happens with a refusal')
      if (receipt.status !== 'ok') return
      assert(!ids.has(id), 'no transaction runs twice')
      ids.add(id)
    })
    for (const { key, value } of changed(changes, sumsTable)) {
      const { budget, unallocated, held, onHold, unsettled, settled, reclaimed, owed, paid, flows } = value
      const name = key.join()
      assert(budget === unallocated + held + unsettled + settled + reclaimed, `the won of ${name} add up`)
      assert(paid === settled + owed && onHold <= held, `what was paid of ${name}`)
      assert(budget === flows.toppedUp - flows.cut && reclaimed === flows.lapsed, `what came into ${name}`)
      assert(unallocated === budget - flows.granted + flows.returned + flows.clawedBack, `what was granted of ${name}`)
      assert(held === flows.granted + flows.refunded + flows.refundedPaid - flows.spent - flows.returned - flows.clawedBack - flows.lapsed, `what is held of ${name}`)
      assert(unsettled === flows.spent - flows.refunded - flows.settled && settled === flows.settled - flows.refundedPaid, `what was spent of ${name}`)
    }
    for (const { key, value } of changed(changes, accountTable)) for (const { amount, spent, onHold, reclaimed } of value.grants) assert(amount >= spent + onHold + reclaimed, `no grant of ${key.join()} pays more than it is`)
    for (const { key, value } of changed(changes, slotTable)) capacities.set(key[0] ?? '', value.capacity)
    for (const { key, value } of changed(changes, seatsTable)) assert(value.confirmed + value.held + value.attended + value.absent <= (capacities.get(key[0] ?? '') ?? 0), `no seat of ${key.join()} is sold twice`)
    for (const { key, value } of changed(changes, countsTable)) assert(Object.values(value).every((count) => count >= 0), `counts of ${key.join()}`)
    for (const { key, value } of changed(changes, didTable)) {
      assert(value.version > (versions.get(key[0] ?? '') ?? 0), `versions of ${key.join()} rise`)
      versions.set(key[0] ?? '', value.version)
    }
  }
}
