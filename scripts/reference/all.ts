// The generated parts of docs/transactions.md, by name. A family's chapter is added here, and its marks where it is to stand in the page.
import { envelopeCodes } from '../../state/families.ts'
import { chapterOf, type ChapterReference, codeTable } from './chapter.ts'
import { communityReference } from './community.ts'
import { credentialReference } from './credential.ts'
import { didReference } from './did.ts'
import { governanceReference } from './governance.ts'
import { pointsReference } from './points.ts'
import { reservationReference } from './reservation.ts'

export const chapters: readonly ChapterReference[] = [didReference, credentialReference, pointsReference, reservationReference, communityReference, governanceReference]

function parts(): Readonly<Record<string, string>> {
  return { envelope: codeTable(envelopeCodes), ...Object.fromEntries(chapters.map((chapter) => [chapter.family, chapterOf(chapter).trimEnd()])) }
}

/** The page with what stands between `<!-- begin x -->` and `<!-- end x -->` made anew. Throws if a part has no place. */
export function withGenerated(page: string): string {
  let next = page
  for (const [name, text] of Object.entries(parts())) {
    const [begin, end] = [`<!-- begin ${name} -->`, `<!-- end ${name} -->`]
    const [from, to] = [next.indexOf(begin), next.indexOf(end)]
    if (from === -1 || to < from) throw new Error(`docs/transactions.md has no marks for ${name}`)
    next = `${next.slice(0, from + begin.length)}\n${text}\n${next.slice(to)}`
  }
  return next
}
