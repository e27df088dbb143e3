package agent

import (
	"context"
	"slices"
	"strconv"
	"strings"
	"time"

	"kvart/app"
)

// actRestore brings back what was chosen. Done again after a kill, it goes on
// with the restore that was begun, and begins no second one.
func (a *Agent) actRestore(ctx context.Context, i app.Incident) app.StepResult {
	tag := restoreTag(i)
	begun := false // by this call: how that ends is how it ended
	for range 3 {
		rec, err := a.restoreFor(ctx, tag)
		switch {
		case err != nil:
			return failed(err)
		case rec == nil || !begun && cutOff(*rec) && !savedAll(*rec):
			begun, err = true, a.restoreChosen(ctx, i, tag)
		case rec.State == app.RestoreSaving:
			err = a.finishRestore(ctx, *rec)
		case rec.State == app.RestoreApplying || !begun && cutOff(*rec):
			begun, err = true, a.finishRestore(ctx, *rec)
		default:
			return restoreResult(*rec)
		}
		if err != nil {
			return failed(err)
		}
	}
	return failed(app.Errorf(app.CodeInterrupted, "restore", "cut off again and again").With("untouched", "yes"))
}

// cutOff reports whether a restore ended because the guard did.
func cutOff(rec app.RestoreRecord) bool {
	code := codeOf(rec.Error)
	return rec.State == app.RestoreFailed && (code == app.CodeInterrupted || code == app.CodeCanceled)
}

// savedAll reports whether all that was there before a restore is saved, so
// that it can go on from its record.
func savedAll(rec app.RestoreRecord) bool {
	return !slices.ContainsFunc(rec.Sources, func(p app.RestoredPart) bool { return p.Safety == "" && !p.Absent })
}

// restoreTag names the try of an incident's restore.
func restoreTag(i app.Incident) string {
	for _, s := range i.Steps {
		if s.Action == app.ActionRestore {
			return string(i.ID) + "/" + strconv.Itoa(s.Tries)
		}
	}
	return string(i.ID) + "/"
}

// restoreFor returns the newest restore for a step, nil when there is none.
func (a *Agent) restoreFor(ctx context.Context, tag string) (*app.RestoreRecord, error) {
	recs, err := a.Journal.Restores(ctx)
	if err != nil {
		return nil, err
	}
	for _, r := range recs {
		if r.For == tag {
			return &r, nil
		}
	}
	return nil, nil
}

// restoreChosen restores and waits. Its error is one from before a record was
// written; what went wrong later is in the record.
func (a *Agent) restoreChosen(ctx context.Context, i app.Incident, tag string) error {
	r := app.RestoreRequest{Sources: i.Choice.Sources, Paths: i.Choice.Paths, At: i.Choice.Before}
	if len(i.Points) > 0 {
		r.Sources, r.Points = nil, map[app.SourceID]app.PointID{}
		for _, s := range a.Store.Document().Sources {
			if p, ok := i.Points[s.ID]; ok {
				r.Sources, r.Points[s.ID] = append(r.Sources, s.Name), p.Point
			}
		}
	}
	id, err := a.startRestore(ctx, r, tag)
	if err != nil {
		return err
	}
	j, err := a.Wait(ctx, id)
	if err != nil {
		return err
	}
	if j.Error != nil && j.Restore == nil {
		return j.Error
	}
	return nil
}

// finishRestore waits for a restore that was cut off and goes on, and has it go
// on where nobody did.
func (a *Agent) finishRestore(ctx context.Context, rec app.RestoreRecord) error {
	for _, j := range a.running() {
		s := j.snapshot()
		if s.Kind != app.JobRestore && s.Kind != app.JobUndo {
			continue
		}
		if _, err := a.Wait(ctx, s.ID); err != nil {
			return err
		}
	}
	now, err := a.restoreRecord(ctx, rec.ID)
	switch {
	case err != nil:
		return err
	case now.State == app.RestoreSaving:
		return a.giveUp(ctx, now)
	case now.State != app.RestoreApplying && !cutOff(now):
		return nil
	}
	now.State, now.Error, now.Ended = app.RestoreApplying, nil, time.Time{}
	if err := a.Journal.PutRestore(ctx, now); err != nil {
		return err
	}
	id, err := a.goOn(now)
	if err != nil {
		return err
	}
	_, err = a.Wait(ctx, id)
	return err
}

// restoreResult says what came of a restore.
func restoreResult(rec app.RestoreRecord) app.StepResult {
	var facts []app.Fact
	for _, p := range rec.Sources {
		if p.Done {
			facts = append(facts, app.Fact{Code: "restored", Source: p.Source, Time: p.Time})
		}
	}
	for _, l := range rec.Left {
		facts = append(facts, app.Fact{Code: "left", Source: l.Source})
	}
	facts = append(facts, failedChecks(rec)...)
	if rec.State == app.RestoreUndone { // the owner took it back before it was noted here
		return failed(app.Errorf(app.CodeCanceled, "restore", "%s was taken back", rec.ID))
	}
	res := app.StepResult{State: app.StepFailed, Error: rec.Error, Change: func(i *app.Incident) { i.Restore = rec.ID }}
	if rec.State == app.RestoreDone {
		res.State = app.StepDone
		facts = append(facts, app.Fact{Code: "took", Count: int64(rec.Took().Seconds())})
	}
	if canUndo(rec) {
		facts = append(facts, app.Fact{Code: "undo"})
	}
	res.Facts = facts
	return res
}

// mostFailed is how many checks that failed an incident tells of.
const mostFailed = 12

// failedChecks are the checks of a restore that failed, as facts. What was noted
// of them for the log stays with the restore.
func failedChecks(rec app.RestoreRecord) (facts []app.Fact) {
	for _, c := range rec.Checks {
		if !c.OK && len(facts) < mostFailed {
			c.Detail = ""
			facts = append(facts, app.Fact{Code: "check_failed", Source: c.Source, Check: &c})
		}
	}
	return facts
}

// actCheck tells what the checks of the restore found, and looks whether what
// came back can be read.
func (a *Agent) actCheck(ctx context.Context, i app.Incident) app.StepResult {
	if i.Restore == "" {
		return app.StepResult{State: app.StepSkipped, Facts: []app.Fact{{Code: "nothing_restored"}}}
	}
	rec, err := a.restoreRecord(ctx, i.Restore)
	if err != nil {
		return failed(err)
	}
	var facts []app.Fact
	ok, checked := int64(0), map[string]bool{}
	for _, c := range rec.Checks {
		if !c.OK {
			return failed(app.Errorf(app.CodeCheckFailed, "check restore", "%s: %s", c.Source, c.Code).With("source", c.Source).With("detail", c.Detail), failedChecks(rec)...)
		}
		ok++
		checked[c.Source] = checked[c.Source] || c.Code != checkKept
	}
	facts = append(facts, app.Fact{Code: "checks", Count: ok})
	for _, p := range rec.Sources {
		if !checked[p.Source] {
			return unknown(append(facts, app.Fact{Code: "unchecked", Source: p.Source})...)
		}
	}
	for _, s := range a.Store.Document().Sources {
		p, chosen := i.Points[s.ID]
		if !chosen {
			continue
		}
		if n := countRows(p.Stats); n >= 0 {
			facts = append(facts, app.Fact{Code: "rows", Source: p.Source, Count: n})
		}
		if o := newestOrder(p.Stats); o != "" {
			facts = append(facts, app.Fact{Code: "newest_order", Source: p.Source, Args: map[string]string{"order": o}})
		}
	}
	reached := a.reach(ctx, i)
	reached.Facts = append(facts, reached.Facts...)
	return reached
}

// actRehearse restores everything to a safe place.
func (a *Agent) actRehearse(ctx context.Context, i app.Incident) app.StepResult {
	id, err := a.StartDrill(ctx, chosenNames(i, a.Store.Document()))
	if err != nil {
		return failed(err)
	}
	j, err := a.Wait(ctx, id)
	if err != nil {
		return failed(err)
	}
	var facts []app.Fact
	sum := 0.0
	for _, d := range j.Drills {
		if d.OK {
			facts = append(facts, app.Fact{Code: "rehearsed", Source: d.Source, Count: int64(d.Seconds)})
			sum += d.Seconds
		}
	}
	if j.Error != nil {
		return failed(j.Error, facts...)
	}
	return done(append(facts, app.Fact{Code: "took", Count: int64(sum)})...)
}

// actGap works out what lies between the chosen points and the trouble.
func (a *Agent) actGap(ctx context.Context, i app.Incident) app.StepResult {
	if len(i.Points) == 0 || i.Restore == "" {
		return app.StepResult{State: app.StepSkipped, Facts: []app.Fact{{Code: "nothing_restored"}}}
	}
	trouble := i.Choice.Before
	if trouble.IsZero() {
		trouble = i.Started
	}
	v, err := a.vaultNamed(ctx, i.Copy)
	if err != nil {
		return failed(err)
	}
	var facts []app.Fact
	for _, s := range a.Store.Document().Sources {
		p, ok := i.Points[s.ID]
		if !ok {
			continue
		}
		from := p.Time
		place, err := a.Journal.Place(ctx, s.ID)
		if err != nil {
			return failed(err)
		}
		if place.Point == p.Point && place.SafeUntil.After(from) && place.SafeUntil.Before(i.Started) {
			from = place.SafeUntil // nothing had moved until then
		}
		minutes := max(int64(trouble.Sub(from).Minutes()+0.999), 0)
		facts = append(facts, app.Fact{Code: "gap", Source: s.Name, Count: minutes, Time: from})
		newest, err := newestBackup(ctx, v, s.ID)
		if err != nil {
			return failed(err)
		}
		if newest == nil {
			continue
		}
		if n := countOrders(newest.Stats) - countOrders(p.Stats); n > 0 {
			facts = append(facts, app.Fact{Code: "gap_orders", Source: s.Name, Count: n})
		}
		if had, known := newestOrder(p.Stats), newestOrder(newest.Stats); had != "" && newest.Stats[app.StatNewestOrder] > p.Stats[app.StatNewestOrder] {
			facts = append(facts, app.Fact{Code: "gap_numbers", Source: s.Name, Args: map[string]string{"order": had, "newest": known}})
		}
	}
	return done(facts...)
}

// countRows adds up what stats count; -1 when they count nothing.
func countRows(s app.Stats) int64 {
	n, any := int64(0), false
	for key, v := range s {
		if strings.HasPrefix(key, "table.") || strings.HasPrefix(key, "kind.") {
			n, any = n+v, true
		}
	}
	if !any {
		return -1
	}
	return n
}

// countOrders counts a shop's orders, where stats tell.
func countOrders(s app.Stats) (n int64) {
	for key, v := range s {
		name, isTable := strings.CutPrefix(strings.ToLower(key), "table.")
		if i := strings.LastIndexByte(name, '.'); i >= 0 {
			name = name[i+1:] // of a schema
		}
		if key == "kind.orders" || isTable && (name == "orders" || name == "order" || strings.HasSuffix(name, "_orders")) {
			n = max(n, v)
		}
	}
	return n
}

func newestOrder(s app.Stats) string {
	if v, ok := s[app.StatNewestOrder]; ok {
		return strconv.FormatInt(v, 10)
	}
	return ""
}
