package app

import (
	"strings"
	"unicode"
)

// SeenCode names what a [Check] saw. Its sentence is a translation keyed
// "checks.seen.<code>", told by [Seen.Count].
type SeenCode string

// What can be wrong. Names are those of what is counted, unless said otherwise.
const (
	SeenRowsMissing     SeenCode = "rows_missing"     // rows, too few of them in the tables named
	SeenRowsExtra       SeenCode = "rows_extra"       // rows, too many of them in the tables named
	SeenTablesMissing   SeenCode = "tables_missing"   // tables that are not there
	SeenTablesDiffer    SeenCode = "tables_differ"    // tables with other values
	SeenTablesDamaged   SeenCode = "tables_damaged"   // tables the server says are damaged
	SeenTablesUnread    SeenCode = "tables_unread"    // tables that could not be read
	SeenIndexesDamaged  SeenCode = "indexes_damaged"  // indexes
	SeenNumbersBehind   SeenCode = "numbers_behind"   // numberings that stand elsewhere
	SeenPartsMissing    SeenCode = "parts_missing"    // views, routines, triggers, events
	SeenDatabaseMissing SeenCode = "database_missing" // the database named
	SeenDatabaseLeft    SeenCode = "database_left"    // there, and was to be gone
	SeenDatabaseOther   SeenCode = "database_other"   // another one has its place
	SeenDatabaseShut    SeenCode = "database_shut"    // it does not open
	SeenDatabaseDamaged SeenCode = "database_damaged"
	SeenDamagedBefore   SeenCode = "damaged_before" // and was so when it was captured
	SeenEncodingOther   SeenCode = "encoding_other" // the encoding named, not the point's
	SeenSizeOther       SeenCode = "size_other"     // bytes in all, with Of expected
	SeenFilesMissing    SeenCode = "files_missing"
	SeenFilesDiffer     SeenCode = "files_differ"
	SeenFilesUnread     SeenCode = "files_unread"
	SeenFilesLeft       SeenCode = "files_left"   // there, and were to be gone
	SeenFilesNumber     SeenCode = "files_number" // files in the point, with Of captured
	SeenBackupUnread    SeenCode = "backup_unread"
	SeenBackupOther     SeenCode = "backup_other" // the point is of something else
	SeenLoginUnread     SeenCode = "login_unread" // a site's own for its database
	SeenRecordsMissing  SeenCode = "records_missing"
	SeenRecordsDiffer   SeenCode = "records_differ"
	SeenRecordsExtra    SeenCode = "records_extra"
	SeenRecordsUnread   SeenCode = "records_unread" // none of the kind was read, for Why
	SeenRecordsNumber   SeenCode = "records_number" // records there, with Of captured
)

// What is worth telling of what is right.
const (
	SeenOpened         SeenCode = "opened"          // by the server named
	SeenDatabaseGone   SeenCode = "database_gone"   // as it was to be
	SeenIndexesRight   SeenCode = "indexes_right"   // indexes looked into
	SeenIndexesBefore  SeenCode = "indexes_before"  // looked into before it was in use again
	SeenIndexesUnseen  SeenCode = "indexes_unseen"  // only asked after, not looked into
	SeenRowsBefore     SeenCode = "rows_before"     // counted before it was in use again
	SeenNumbersSince   SeenCode = "numbers_since"   // numberings in use again
	SeenNumbersRight   SeenCode = "numbers_right"   // numberings compared
	SeenPartsRight     SeenCode = "parts_right"     // views, routines, triggers, events compared
	SeenPartsOwner     SeenCode = "parts_owner"     // of them, those that belong to others now
	SeenRightsLeft     SeenCode = "rights_left"     // owners and rights that were not given
	SeenServersCount   SeenCode = "servers_count"   // rows are the server's own number
	SeenPagesRight     SeenCode = "pages_right"     // every page was, as it was restored; no more was allowed
	SeenOwner          SeenCode = "owner"           // the one named
	SeenLoginsLost     SeenCode = "logins_lost"     // users without a login
	SeenSealed         SeenCode = "sealed"          // compared byte by byte, not looked into
	SeenFilesMore      SeenCode = "files_more"      // there, and not in the point
	SeenSiteDatabase   SeenCode = "site_database"   // the one named
	SeenLost           SeenCode = "lost"            // damaged beyond reading, so not saved
	SeenRecordsSame    SeenCode = "records_same"    // records compared
	SeenRecordsNone    SeenCode = "records_none"    // nothing to compare was chosen
	SeenTriedBeside    SeenCode = "tried_beside"    // in a database of its own on the same server
	SeenTriedHere      SeenCode = "tried_here"      // in a server of its own on this computer
	SeenTriedReading   SeenCode = "tried_reading"   // without a server: read through and counted
	SeenTriedVerifying SeenCode = "tried_verifying" // the server read it through, and restored nothing
	SeenTriedNoRoom    SeenCode = "tried_no_room"   // too little room: read through and counted
)

// SeenCodes lists every one.
func SeenCodes() []SeenCode {
	return []SeenCode{
		SeenRowsMissing, SeenRowsExtra, SeenTablesMissing, SeenTablesDiffer, SeenTablesDamaged, SeenTablesUnread,
		SeenIndexesDamaged, SeenNumbersBehind, SeenPartsMissing, SeenDatabaseMissing, SeenDatabaseLeft, SeenDatabaseOther,
		SeenDatabaseShut, SeenDatabaseDamaged, SeenDamagedBefore, SeenEncodingOther, SeenSizeOther, SeenFilesMissing,
		SeenFilesDiffer, SeenFilesUnread, SeenFilesLeft, SeenFilesNumber, SeenBackupUnread, SeenBackupOther, SeenLoginUnread,
		SeenRecordsMissing, SeenRecordsDiffer, SeenRecordsExtra, SeenRecordsUnread, SeenRecordsNumber,
		SeenOpened, SeenDatabaseGone, SeenIndexesRight, SeenIndexesBefore, SeenIndexesUnseen, SeenRowsBefore, SeenNumbersSince, SeenNumbersRight,
		SeenPartsRight, SeenPartsOwner, SeenRightsLeft, SeenServersCount, SeenPagesRight, SeenOwner, SeenLoginsLost, SeenSealed,
		SeenFilesMore, SeenSiteDatabase, SeenLost, SeenRecordsSame, SeenRecordsNone,
		SeenTriedBeside, SeenTriedHere, SeenTriedReading, SeenTriedVerifying, SeenTriedNoRoom,
	}
}

// Seen is one thing a check saw, as facts that are told in any language.
type Seen struct {
	Code  SeenCode `json:"code"`
	Count int64    `json:"count,omitempty"`
	Of    int64    `json:"of,omitempty"`    // how many were looked at, or expected
	Names []string `json:"names,omitempty"` // the first few
	More  int64    `json:"more,omitempty"`  // how many are not among Names
	// Kind is the kind of a shop's records: a translation keyed "shop.kind.<kind>".
	Kind string `json:"kind,omitempty"`
	// Why is the code of what was in the way.
	Why Code `json:"why,omitempty"`
}

const (
	mostNamed = 3  // names of one kind of thing
	longName  = 60 // runes
)

// See adds to what a check saw. What it saw of the same is added up, and of
// names the first few are kept. It leaves [Check.OK] alone.
func (c *Check) See(f Seen) {
	at := -1
	for i, g := range c.Seen {
		if g.Code == f.Code && g.Kind == f.Kind {
			at = i
		}
	}
	names := f.Names
	f.Names = nil
	if at < 0 {
		c.Seen = append(c.Seen, f)
		at = len(c.Seen) - 1
	} else {
		c.Seen[at].Count += f.Count
		c.Seen[at].More += f.More
	}
	g := &c.Seen[at]
	for _, name := range names {
		if len(g.Names) == mostNamed {
			g.More++
			continue
		}
		g.Names = append(g.Names, shortName(name))
	}
}

// shortName is a name as one line of a length that can be read, without what
// would move a reader's screen or the words around it.
func shortName(name string) string {
	var runes []rune
	for _, r := range strings.Join(strings.Fields(name), " ") {
		if unicode.IsPrint(r) {
			runes = append(runes, r)
		}
	}
	if len(runes) > longName {
		return string(runes[:longName-1]) + "…"
	}
	return string(runes)
}

// Named is what is seen of one thing that has a name.
func Named(code SeenCode, name string) Seen {
	return Seen{Code: code, Count: 1, Names: []string{name}}
}

// RowsOff is what is seen of a table that has another number of rows than
// expected. Without a name it is about all tables together.
func RowsOff(table string, have, want int64) Seen {
	f := Seen{Code: SeenRowsMissing, Count: want - have}
	if have > want {
		f = Seen{Code: SeenRowsExtra, Count: have - want}
	}
	if table != "" {
		f.Names = []string{table}
	}
	return f
}
