// Package rest captures, compares and restores hosted shops through their web
// interfaces. It holds what all shops have in common; what one make of shop
// does in its own way is a [Platform], in a package of its own. It knows no
// vault and no connector.
//
// # The table
//
// A platform describes each sort of record it has as a [Kind]: how changes and
// deletions are found, how a record is put back, in which order, by which keys
// it is found again, which fields point at other records, and which side
// effects writing has. The [Engine] works from that table alone, and so do the
// documents and the window: a kind's words are translations keyed
// "shop.kind.<name>".
//
// # How a capture works
//
// The engine keeps a mirror of the shop on this computer: one SQLite file with
// every record as canonical JSON. A capture first brings the mirror up to date,
// then yields it whole, one file a record. Which files the vault has to read is
// told by their times, which are made from a hash of the content, so that the
// vault reads what changed and nothing else, on whatever computer. The first
// capture of all, which waits long for the shop, yields each kind as soon as it is
// whole, and records of a list that is of one moment as they come
// ([app.Access.Early]), and fails when one of those changed until its end.
//
//	products/3/161/8053.json     50 records to a group, 40 groups to a folder
//	media/4f/4f22….jpg           a picture, by the hash of its content
//	media/refs/a7.json           which address was which file
//	kvart-shop.json              how each kind was captured
//	kvart-events/2026-11-22.json who did what that day, where the shop tells
//
// The mirror is disposable. When it is gone, what the newest point holds is
// taken as a beginning ([app.Access.Newest]), and everything is fetched anew.
//
// # What is believed
//
// A refused, broken, cut or short answer is never a deletion. The kind is then
// "not captured": its last good state stays in the point, and an optional item
// of the kind's name fails with the reason, which makes it a problem of the
// point. When more than a fifth of a kind is gone at once, that is an unusual
// change: the records stay until the owner has answered ([Engine.AcceptGone]).
//
// # How a restore works
//
// Records of the point are compared with the shop as it is. What is there and
// differs is updated in place, field by field; what lies in the shop's trash is
// taken out of it; only what is gone is made again. Made again, it has a new
// id: an id map takes every reference from old to new, also those of records
// that were never away. Apply may be cut off anywhere and goes on where it was.
// What it was about to make is noted first: after a crash that is looked for by
// its names, or by what is in it where it has none, before it is made again.
//
// The shop is read whole once, for the safety point, and what the restore does is
// worked out from that and from what changed since. Verify reads again, from the
// shop, every record that was written, all lists, and what the shop tells has
// changed; where it isn't known what was written, everything.
//
// # Who did it
//
// Where a shop tells who did what ([Witness], [Kind.Author]), the point keeps it,
// and comparing two points names it. A shop that doesn't tell just now is no
// reason to go without a backup.
//
// # Newer orders
//
// A restore never takes an order back. What is in the shop and not in the point
// is never removed, but for what an undone restore itself had made, and orders
// are [Kind.Fixed]: one that is there stays as it is, whatever the point says
// of it, paid, sent or changed since, and so it does when products that it names
// are made again. The plan tells how many those are ([app.CodeEffectKept]). One
// that is gone is made again, or taken out of the trash as it lay there, only
// for owners who asked for it ([OptIn]). The point shows what each was.
//
// # Tables
//
// What people want to take along is written as CSV, in the form the platform's
// own importer reads where it has one: see [Table].
package rest
