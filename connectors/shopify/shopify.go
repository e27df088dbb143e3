// Package shopify captures, compares and restores Shopify shops through the
// Admin GraphQL API. It is a [rest.Platform]: what all shops have in common, the
// mirror, the layout of a point, what is believed, the course of a restore, is
// the engine's. It knows no vault and no other connector.
//
// # Keys
//
// A shop is read with the merchant's own app, made in Shopify's Dev Dashboard and
// given rights to read and nothing else; its client credentials get a token that
// lasts a day and lives in memory only. A token of an app from before 2026
// ("shpat_…") will do too. Restoring takes another key, asked for when it is
// needed, so that what lies on this computer every day can't change the shop. A
// key goes to <shop>.myshopify.com and nowhere else: files are fetched without.
//
// # Operations
//
// Everything asked and said lies in queries, one GraphQL operation a file, held
// to the official description of the version [Version] by a test. The others
// are made from these: the same record by its id, ids alone, the next page of a
// connection, what a bulk operation is given. A record reads the same however it
// was asked for, since the engine compares by content.
//
// # How changes are found
//
//   - The first capture and the nightly sweep of products, collections, stock,
//     customers and orders run as bulk operations: the shop writes a file, which
//     is counted against what the shop says it wrote. A part of a file is never
//     taken. Sweeping reads content, not ids alone: a product's time does not
//     move with every change of its variants' own fields.
//   - A quarter begins with one look at the whole shop ([pulseDocument]): ids of
//     what changed, events of what was deleted, the small lists. What changed is
//     then fetched by id, many records together; and where that would take more
//     points than there are, or come to hundreds, by a bulk operation that searches
//     for it by its time. What such a search misses, or shows a part of, is fetched
//     by id all the same.
//   - Texts in other languages and definitions have no times and are read whole,
//     more seldom.
//
// # How much is put back
//
// Few records are written one by one, within the shop's points. Of many products
// or customers the mutations are written to a file, which the shop works through
// by bulk operations, at no points at all ([shop.pays] says when that is sooner).
// Each line of the result is the answer to one record. Such an operation goes on
// when nobody waits for it any more, so that a restore waits for those of an
// earlier one before it looks at what there is to do. Much that was written is
// checked by what bulk operations read that search for what changed since.
//
// # What is believed
//
// Data that comes with errors is not taken. A right that is missing, a field
// blotted out because the app may not see customers' data, a page of HTML, a list
// that doesn't say whether it ends, an answer in another version: the kind, or
// the capture, fails and says what to do. Nothing is restored from a blotted out
// record, since none is ever kept.
//
// # What only people can put back
//
// Themes: writing files of a theme takes an exemption that Shopify gives to few,
// so that [ThemeArchive] makes the archive that the admin takes under Online
// store, Themes, Upload. Gift cards: their codes can't be read. Locations,
// markets, delivery profiles, companies and the settings of the shop are kept as
// facts to go by. Orders are made again only when the owner asks for it.
package shopify
