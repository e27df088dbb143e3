package watch

import (
	"kvart/app"
)

// tally is what became of the files of one type in one run, and over the day.
type tally struct {
	before, now int64
	added       int64
	changed     int64 // over the day
	changedNow  int64 // in this run
	gone        int64 // in this run
	turned      int64 // over the day
	renamed     int64 // added, and named like a file that was there
	kept        int64 // old files an eye is kept on
	touched     int64 // of them, in this run
	priced      int64 // records with prices
	repriced    int64 // over the day
	pays        int64 // records that changed where payments go, in this run
}

// census compares the files that were seen with those of the run before.
func (j *judging) census(seen map[uint64]*look) {
	s := j.s
	index := map[string]uint16{}
	for i, k := range s.Kinds {
		index[k.Name] = uint16(i)
	}
	tallies := map[uint16]*tally{}
	of := func(kind uint16) *tally {
		t := tallies[kind]
		if t == nil {
			t = &tally{}
			tallies[kind] = t
		}
		return t
	}
	records := false
	next := make(map[uint64]file, len(seen))
	for name, l := range seen {
		if l.flags&flagOurs != 0 {
			continue // it is judged by itself
		}
		records = records || l.record
		kind := s.kind(index, l.kind, j.minute)
		was, had := s.files[name]
		now, paid := j.follow(was, had, l)
		now.kind = kind
		next[name] = now
		j.count(of(kind), was, now, had, paid)
		if _, before := s.files[l.stem]; !had && before {
			of(kind).renamed++
		}
	}
	for name, f := range s.files {
		t := of(f.kind)
		t.before++
		if _, ok := next[name]; !ok {
			t.gone++
			if j.old(f) {
				t.kept++
				t.touched++
			}
		}
	}
	s.files = next
	if j.f.Expected {
		s.From = j.minute // what Kvart did adds up to nothing
	}
	j.judgeFiles(tallies, records)
}

// follow returns what is known of a file now, and whether its money changed.
func (j *judging) follow(was file, had bool, l *look) (now file, paid bool) {
	now = was
	now.stamp, now.day = l.stamp, l.day
	if !had {
		now.seen = j.minute
	} else if was.stamp != l.stamp {
		now.at = j.minute
	}
	if !l.looked {
		return now, false
	}
	now.flags, now.money = l.flags, l.money
	if had && was.money != 0 && l.money != 0 && was.money != l.money {
		now.moneyAt, paid = j.minute, true
	}
	if was.money != 0 && l.money == 0 {
		now.money = was.money // blotted out, or cut: not known
	}
	if had && l.flags&flagBad != 0 && turned(was, l) {
		now.flags |= flagTurned
	}
	return now, paid
}

// turned reports whether a file that is bad was good, as far as is known.
func turned(was file, l *look) bool {
	if was.flags&flagTurned != 0 {
		return was.stamp == l.stamp
	}
	return was.flags&(flagGood|flagPlain) != 0 || was.flags&flagBad == 0 && known(l.kind)
}

// old reports whether an eye is kept on a file: it lay untouched for months,
// and Kvart has known it for a while.
func (j *judging) old(f file) bool {
	return uint32(f.day)+oldDays < j.minute/(24*60) && f.at == 0 && f.seen+24*60 < j.minute
}

func (j *judging) count(t *tally, was, now file, had, paid bool) {
	t.now++
	from := j.s.day(j.minute)
	switch {
	case !had:
		t.added++
	case now.at > from:
		t.changed++
		if now.flags&flagTurned != 0 {
			t.turned++
		}
	}
	if had && was.stamp != now.stamp {
		t.changedNow++
	}
	if had && j.old(was) {
		t.kept++
		if was.stamp != now.stamp {
			t.touched++
		}
	}
	if now.money != 0 {
		t.priced++
		if now.moneyAt > from {
			t.repriced++
		}
		if paid {
			t.pays++
		}
	}
}

// judgeFiles applies the rules about files, or about a shop's records.
func (j *judging) judgeFiles(tallies map[uint16]*tally, records bool) {
	s := j.s
	var kept, touched, turned, changed int64
	for i := range s.Kinds {
		t := tallies[uint16(i)]
		if t == nil {
			continue
		}
		k := &s.Kinds[i]
		if !j.f.Expected {
			k.Gone[0] += t.gone
		}
		if money(k.Name) != nil {
			j.judgeMoney(k.Name, t)
			continue
		}
		if records {
			continue // counts tell of the other kinds; their records change all day
		}
		kept, touched, turned, changed = kept+t.kept, touched+t.touched, turned+t.turned, changed+t.changed
		j.judgeType(k, t)
	}
	if j.f.Expected || records {
		return
	}
	if kept >= oldLeast {
		j.share(app.UnusualOldFiles, "", touched, kept, 0.5, touched >= oldLeast/2)
	}
	if turned >= contentLeast || turned >= contentFew && 2*turned > changed {
		if float64(turned) > j.s.bound(key(app.UnusualContent, ""), 0, j.f.At) {
			j.alarm(app.UnusualContent, "", turned, changed)
		}
	}
}

// judgeType applies the rules about one type of file.
func (j *judging) judgeType(k *kindAbout, t *tally) {
	gone := sum(k.Gone)
	n, of := t.changed+gone, t.now-t.added+gone
	asked := n
	if j.f.At.Sub(j.s.Since) < learning {
		asked = t.changedNow + t.gone // what adds up over a day has yet to be learned
	}
	if asked >= filesLeast && 2*asked > of {
		j.share(app.UnusualFiles, k.Name, asked, of, filesShare, true)
	} else {
		j.share(app.UnusualFiles, k.Name, n, of, filesShare, asked >= filesLeast && asked == n)
	}
	if !k.Ours && t.added > 0 {
		j.judgeEnding(k, t)
	}
}

// judgeEnding applies the rules about endings of names that turn up.
func (j *judging) judgeEnding(k *kindAbout, t *tally) {
	isNew := k.Since+suffixNew > j.minute && k.Since > minuteOf(j.s.Since)
	switch {
	case isRansom(k.Name) && (t.renamed > 0 || isNew && t.now > ransomMost):
		j.alarm(app.UnusualRansom, k.Name, t.now, 0)
	case isNew && !isOrdinary(k.Name) && t.now > suffixMost && t.renamed > 0:
		j.alarm(app.UnusualRenamed, k.Name, t.now, 0)
	case isNew && !isOrdinary(k.Name) && t.now > suffixMost && k.Since+suffixBurst > j.minute:
		j.ask(app.UnusualSuffix, k.Name, t.now, 0)
	}
}

func (j *judging) judgeMoney(kind string, t *tally) {
	if isPayment(kind) {
		if t.pays > 0 {
			j.ask(app.UnusualPayment, kind, t.pays, t.priced)
		}
		return
	}
	// Once asked, the same prices are asked about no more than once a day; what
	// went on without a change in this run is nobody's news.
	if t.pays > 0 {
		j.share(app.UnusualPrices, kind, t.repriced, t.priced, priceShare, t.repriced >= priceLeast)
	}
}
