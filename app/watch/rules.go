package watch

import (
	"cmp"
	"maps"
	"slices"
	"strings"
	"time"

	"kvart/app"
)

// What the rules can't see, below their thresholds: a change of up to 20 % of
// the orders, or of half of a type's files, within a day; an attack that adds an
// ending to fewer than 31 files in a month, or that fills fewer than ten files a
// day with noise under their own names; rows of a database that change while
// their number stays, prices in a database that is not a shop's. Backups from
// before are kept by the ordinary retention then.
//
// The rules' own thresholds. Those of questions give way to what is usual on a
// weekday and to the owner's answers; those of alarms don't.
const (
	// learning is how long what adds up over a day is only learned.
	learning = 7 * 24 * time.Hour

	dropShare = 0.2 // of orders, products, customers
	dropLeast = 5   // rows; fewer say nothing
	// Of other tables nobody knows what they are for.
	otherShare   = 0.5
	otherLeast   = 500
	otherEmptied = 50

	filesLeast = 100
	filesShare = 0.5
	// suffixMost is how many files with an ending never seen before are no
	// question, and for how long an ending is new: longer where it is added to
	// names that were there.
	suffixMost  = 30
	suffixNew   = 30 * 24 * 60 // minutes
	suffixBurst = 7 * 24 * 60
	ransomMost  = 2 // more than these are an alarm; one is where a file was renamed to it
	// contentLeast is how many files have to stop holding what their type says;
	// fewer do where they are most of their type.
	contentLeast = 30
	contentFew   = 10

	// oldDays is how long a file lay untouched to count as old; of those kept
	// an eye on, half have to be touched.
	oldDays  = 90
	oldLeast = 20

	priceLeast = 5
	priceShare = 0.5

	rawLeast = 20 << 20 // bytes sent
	rawShare = 0.2      // of the source
	rawRatio = 0.9      // sent of read
	rawUsual = 0.6

	// lossMost bounds what an owner can teach about losses: a loss of nearly
	// everything is asked about every time.
	lossMost = 0.9
)

func key(code app.UnusualCode, kind string) string { return string(code) + " " + kind }

// Judge implements [app.RunWatch].
func (r *run) Judge(f app.RunFacts) (app.Finding, []byte, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	s := r.s
	j := &judging{s: s, f: f, minute: minuteOf(f.At), first: s.Since.IsZero()}
	if f.Canary == app.CanaryTouched {
		j.alarm(app.UnusualCanary, CanaryName, 1, 1)
	}
	if f.Failed != "" {
		j.turned()
		return j.end()
	}
	if f.Idle {
		return j.end()
	}
	s.Turned = 0
	s.halfDays(f.At)
	j.counts()
	for kind, n := range r.held {
		j.ask(app.UnusualShrunk, kind, n, n+f.Stats["kind."+kind])
	}
	j.raw()
	j.census(r.seen)
	if j.first {
		s.Since = f.At
	}
	s.Last = f.At
	return j.end()
}

// judging is one run on its way through the rules.
type judging struct {
	s      *state
	f      app.RunFacts
	minute uint32
	first  bool
	out    app.Finding
}

// ask notes a broken rule that may well be the owner's work. What Kvart itself
// did is nobody's question.
func (j *judging) ask(code app.UnusualCode, kind string, n, of int64) {
	if j.first || j.f.Expected {
		return
	}
	j.out.Level = cmp.Or(j.out.Level, app.UnusualQuestion)
	j.out.Reasons = append(j.out.Reasons, app.UnusualReason{Code: code, Kind: kind, Count: n, Of: of})
}

// alarm notes a broken rule that looks like harm.
func (j *judging) alarm(code app.UnusualCode, kind string, n, of int64) {
	if j.first && code != app.UnusualCanary || j.f.Expected {
		return
	}
	j.out.Level = app.UnusualAlarm
	j.out.Reasons = append(j.out.Reasons, app.UnusualReason{Code: code, Kind: kind, Count: n, Of: of})
}

// share asks when a share goes beyond its bound, and else learns that so much
// is usual.
func (j *judging) share(code app.UnusualCode, kind string, n, of int64, rule float64, enough bool) {
	if of <= 0 || n <= 0 {
		return
	}
	value, k := float64(n)/float64(of), key(code, kind)
	bound := j.s.bound(k, rule, j.f.At)
	if code != app.UnusualPrices {
		bound = min(bound, lossMost)
	}
	if enough && value > bound {
		j.ask(code, kind, n, of)
	} else if !j.f.Expected && !j.f.Asked {
		j.s.note(k, value, j.f.At)
	}
}

func (j *judging) end() (app.Finding, []byte, error) {
	slices.SortFunc(j.out.Reasons, func(a, b app.UnusualReason) int {
		return cmp.Or(cmp.Compare(a.Code, b.Code), cmp.Compare(a.Kind, b.Kind))
	})
	learned, err := j.s.encode()
	return j.out, learned, err
}

// turned looks at a source that could not be read, and could before. One that
// is just being written anew is readable the next time.
func (j *judging) turned() {
	if j.s.Since.IsZero() || j.f.Failed != app.CodeSourceNotDB && j.f.Failed != app.CodeSourceEncrypted {
		return
	}
	j.first = false
	if j.s.Turned++; j.s.Turned > 1 {
		j.alarm(app.UnusualTurned, string(j.f.Failed), 1, 1)
	}
}

// counts compares rows and records with the highest of the last day.
func (j *judging) counts() {
	s := j.s
	for name := range s.Counts {
		kind, ok := counted(name)
		if _, there := j.f.Stats[name]; ok && !there && j.f.Server && j.f.Stats[app.StatDamaged] == 0 {
			j.gone(kind, max(s.Counts[name], slices.Max(arr(s.High[name]))))
		}
	}
	now := map[string]int64{}
	for name, n := range j.f.Stats {
		kind, ok := counted(name)
		if !ok {
			continue
		}
		now[name] = n
		before := max(s.Counts[name], slices.Max(arr(s.High[name])))
		j.fell(kind, n, before)
		h := s.High[name]
		h[0] = max(h[0], n)
		if j.f.Expected {
			h = [3]int64{n}
		}
		s.High[name] = h
	}
	if !j.f.Server {
		for name, n := range s.Counts { // what was not counted this time is not known
			if _, ok := now[name]; !ok {
				now[name] = n
			}
		}
	}
	s.Counts = now
	maps.DeleteFunc(s.High, func(name string, _ [3]int64) bool { _, ok := now[name]; return !ok })
}

func arr(n [3]int64) []int64 { return n[:] }

// counted returns the table or kind of record that a count is of.
func counted(name string) (string, bool) {
	for _, p := range []string{"table.", "database.table.", "kind."} {
		if kind, ok := strings.CutPrefix(name, p); ok {
			return kind, true
		}
	}
	return "", false
}

// gone judges a table that is not there any more.
func (j *judging) gone(kind string, before int64) {
	switch {
	case before >= dropLeast && isTrade(kind):
		j.alarm(app.UnusualTableGone, kind, before, before)
	case before >= otherEmptied && !isPassing(kind):
		j.ask(app.UnusualTableGone, kind, before, before)
	}
}

// fell judges a count that fell.
func (j *judging) fell(kind string, n, before int64) {
	lost := before - n
	switch {
	case lost <= 0 || isPassing(kind):
	case n == 0 && isTrade(kind) && before >= dropLeast:
		j.alarm(app.UnusualEmptied, kind, before, before)
	case n == 0 && before >= otherEmptied:
		if j.s.bound(key(app.UnusualEmptied, kind), 0, j.f.At) == 0 {
			j.ask(app.UnusualEmptied, kind, before, before)
		}
	case isTrade(kind):
		j.share(app.UnusualDropped, kind, lost, before, dropShare, lost >= dropLeast)
	default:
		j.share(app.UnusualDropped, kind, lost, before, otherShare, lost >= otherLeast)
	}
}

// raw judges whether what is new has lost what made it small.
func (j *judging) raw() {
	if j.f.Read < rawLeast/20 {
		return
	}
	ratio := float64(j.f.Uploaded) / float64(j.f.Read)
	usual := slices.Clone(j.s.Ratios)
	slices.Sort(usual)
	big := j.f.Uploaded >= rawLeast && float64(j.f.Read) >= rawShare*float64(j.f.Bytes)
	if big && len(usual) >= 5 && ratio >= rawRatio && float64(usual[len(usual)/2]) <= rawUsual &&
		float64(j.f.Uploaded) > j.s.bound(key(app.UnusualRaw, ""), 0, j.f.At) {
		j.ask(app.UnusualRaw, "", j.f.Uploaded, j.f.Read)
		return
	}
	if j.f.Asked {
		return
	}
	j.s.Ratios = append(j.s.Ratios, float32(ratio))
	if n := len(j.s.Ratios); n > 20 {
		j.s.Ratios = j.s.Ratios[n-20:]
	}
}

// Teach implements [app.Judge].
func (w *Watch) Teach(learned []byte, u app.Unusual, yes bool, now time.Time) ([]byte, error) {
	s, err := decode(learned)
	if err != nil {
		return nil, err
	}
	s.From = minuteOf(now)
	for name, n := range s.Counts {
		s.High[name] = [3]int64{n}
	}
	for i := range s.Kinds {
		s.Kinds[i].Gone = [3]int64{}
	}
	for _, r := range u.Reasons {
		if !yes {
			break
		}
		s.teach(r, now)
	}
	return s.encode()
}

// teach makes one reason ordinary.
func (s *state) teach(r app.UnusualReason, now time.Time) {
	value := float64(r.Count)
	switch r.Code {
	case app.UnusualSuffix, app.UnusualRenamed, app.UnusualRansom:
		for i := range s.Kinds {
			s.Kinds[i].Ours = s.Kinds[i].Ours || s.Kinds[i].Name == r.Kind
		}
		return
	case app.UnusualCanary, app.UnusualTurned, app.UnusualTableGone, app.UnusualShrunk, app.UnusualPayment:
		return // asked about every time
	case app.UnusualDropped, app.UnusualFiles, app.UnusualOldFiles, app.UnusualPrices:
		value = float64(r.Count) / float64(max(r.Of, 1))
	}
	k := key(r.Code, r.Kind)
	if t, ok := s.Taught[k]; ok {
		value = max(value, t.Value)
	}
	s.Taught[k] = taught{value, now}
}
