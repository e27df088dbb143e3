package main

import (
	"encoding/json"
	"io"
	"math"
	"net/http"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"kvart/app"
)

// ticks says that steps of the owner's are done, and waits for Kvart's.
func (w *wholeShop) ticks(codes ...app.StepCode) (i app.Incident) {
	w.Helper()
	for _, c := range codes {
		if _, err := w.guarded.client.TickStep(w.Context(), app.TickRequest{Step: c}); err != nil {
			w.Fatalf("tick %s: %v", c, err)
		}
		i = w.wait()
	}
	return i
}

func (w *wholeShop) wait() app.Incident {
	w.Helper()
	i, err := w.guarded.client.WaitIncident(w.Context())
	if err != nil {
		w.Fatal(err)
	}
	return i
}

func (w *wholeShop) step(code app.StepCode, want app.StepState) *app.IncidentStep {
	w.Helper()
	i, err := w.guarded.client.Incident(w.Context())
	if err != nil {
		w.Fatal(err)
	}
	s := i.Step(code)
	if s == nil || s.State != want {
		b, _ := json.Marshal(i.Log[max(len(i.Log)-8, 0):])
		w.Fatalf("%s is %+v, want %s; at last %s", code, s, want, b)
	}
	return s
}

// record returns the newest restore, zero when there is none.
func (w *wholeShop) record() app.RestoreRecord {
	w.Helper()
	recs, err := w.guarded.client.Restores(w.Context())
	if err != nil {
		w.Fatal(err)
	}
	if len(recs) == 0 {
		return app.RestoreRecord{}
	}
	return recs[0]
}

// until waits until the newest restore has come so far.
func (w *wholeShop) until(what string, far func(app.RestoreRecord) bool) func() {
	return func() {
		w.Helper()
		w.within(patience, what, func() bool {
			r := w.record()
			if r.State == app.RestoreDone {
				w.Fatalf("%s: it is done already", what)
			}
			return far(r)
		})
	}
}

func done(r app.RestoreRecord) (n int) {
	for _, p := range r.Sources {
		if p.Done {
			n++
		}
	}
	return n
}

// killGuard kills the guard as a power cut does, does what is to happen
// meanwhile, and starts another.
func (w *wholeShop) killGuard(meanwhile func()) {
	w.Helper()
	if err := w.guarded.Process.Kill(); err != nil {
		w.Fatal(err)
	}
	_ = w.guarded.Wait() // it was killed
	w.kills++
	meanwhile()
	w.guarded = w.shop.guard()
}

// holdWrites has the online shop hold what writes to it, until who asks is
// gone, at the nth write from now.
func (w *wholeShop) holdWrites(n int) func() {
	return func() {
		w.Helper()
		held := make(chan struct{})
		left := n
		w.web.Do(func() {
			w.web.Fault = func(_ http.ResponseWriter, r *http.Request) bool {
				if r.Method == http.MethodGet {
					return false
				}
				hold := false
				w.web.Do(func() { left--; hold = left == 0 })
				if hold {
					_, _ = io.Copy(io.Discard, r.Body) // a server notices who is gone only once it has read all
					close(held)
					<-r.Context().Done()
				}
				return hold
			}
		})
		w.gets(held, "the online shop is written to")
		w.web.Do(func() { w.web.Fault = nil })
	}
}

func (w *wholeShop) gets(c <-chan struct{}, what string) {
	w.Helper()
	select {
	case <-c:
	case <-time.After(patience):
		w.Fatalf("%s: not within %v", what, patience)
	}
}

// A whole shop is destroyed and brought back through an incident, the guard
// killed in ten places on the way: it still ends, once, with everything back.
func TestWholeShop_backAfterTenKills(t *testing.T) {
	t.Parallel()
	if testing.Short() {
		t.Skip("takes half a minute")
	}
	w := newWholeShop(t)
	pdftotext := w.maria.program("pdftotext")
	w.protect()
	w.sound = w.state()
	w.guarded = w.guard()
	w.idle(w.guarded)
	w.destroy()

	w.must([]string{"incident", "start", "hacked", "--note", "Allt är borta"}, "playbook", "hacked")
	i := w.ticks("unplug", "photograph", "other-device", "pause-orders", "police", "imy", "passwords", "clean")
	w.incident = i.ID
	w.step("point", app.StepDone)
	if _, err := w.guarded.client.TickStep(t.Context(), app.TickRequest{Step: "confirm"}); err != nil {
		t.Fatal(err)
	}
	for _, moment := range w.moments() {
		moment()
		w.killGuard(func() {})
	}
	w.wait()
	w.step("restore", app.StepDone)
	w.step("check", app.StepDone)
	w.compare(w.state(), w.sound)
	w.openAgain()
	w.endedOnce()
	w.reads(pdftotext)
	w.must([]string{"incident", "close"})
	w.must([]string{"backup"}, "runs.len", "5")
	w.undone()
}

// moments are those at which the guard is killed while it restores.
func (w *wholeShop) moments() []func() {
	after := func(d time.Duration) func() { return func() { time.Sleep(d) } }
	saving := func(r app.RestoreRecord) bool { return r.State == app.RestoreSaving || r.State == app.RestoreApplying }
	applying := func(r app.RestoreRecord) bool { return r.State == app.RestoreApplying }
	all := []func(){
		after(50 * time.Millisecond),
		w.until("what is left is saved", saving),
		w.until("it is put back", applying),
		after(300 * time.Millisecond),
		w.until("a database is back", func(r app.RestoreRecord) bool { return done(r) > 0 }),
		w.until("the files are back", func(r app.RestoreRecord) bool { return done(r) > 3 }),
		w.holdWrites(1),
		w.holdWrites(3),
	}
	if raced && os.Getenv(agentVar) == "" {
		return []func(){all[2], all[6]} // opening a vault takes ten times as long
	}
	return all
}

// openAgain ends the incident: the page is asked for in the end, by a guard
// that is killed while it waits for the answer.
func (w *wholeShop) openAgain() {
	w.Helper()
	if _, err := w.guarded.client.TickStep(w.Context(), app.TickRequest{Step: "open-again"}); err != nil {
		w.Fatal(err)
	}
	w.wait()
	for how, code := range map[frontState]app.Code{
		frontWrong: app.CodeStorefrontWord, frontDown: app.CodeStorefrontStatus, frontExpired: app.CodeStorefrontCertificate,
	} {
		w.front.be(how)
		i := w.ticks("storefront")
		if s := w.step("storefront", app.StepFailed); s.Error.Code != code || !i.Back.IsZero() {
			w.Errorf("page %s: %v, back %v", how, s.Error, i.Back)
		}
	}
	w.front.be(frontSlow)
	if _, err := w.guarded.client.TickStep(w.Context(), app.TickRequest{Step: "storefront"}); err != nil {
		w.Fatal(err)
	}
	for _, then := range []frontState{frontSlow, frontUp} {
		w.gets(w.front.asked, "the page is asked for")
		w.killGuard(func() { w.front.be(then) })
	}
	i := w.wait()
	w.step("storefront", app.StepDone)
	if away := i.Back.Sub(i.Started).Seconds(); i.Back.IsZero() || math.Abs(i.Seconds-away) > 1 {
		w.Errorf("back %v, after %v s, %v s by the clock", i.Back, i.Seconds, away)
	}
	w.ticks("enter-sales", "customers", "report")
}

// endedOnce makes sure that one restore was done, and no step twice.
func (w *wholeShop) endedOnce() {
	w.Helper()
	w.Logf("%d kills", w.kills)
	recs, err := w.guarded.client.Restores(w.Context())
	if err != nil {
		w.Fatal(err)
	}
	finished := 0
	for _, r := range recs {
		switch {
		case r.State == app.RestoreDone && len(r.Sources) == 5 && done(r) == 5 && len(r.Checks) > 5:
			finished++
		case r.State != app.RestoreFailed || r.Error.Code != app.CodeInterrupted || r.Error.Args["untouched"] == "":
			w.Errorf("restore %s is %s (%v), %d sources back", r.ID, r.State, r.Error, done(r))
		}
		if !strings.HasPrefix(r.For, string(w.incident)+"/") {
			w.Errorf("a restore for %q", r.For)
		}
	}
	all, err := w.guarded.client.Incidents(w.Context())
	if err != nil || finished != 1 || len(all) != 1 {
		w.Fatalf("%d restores done, %d incidents, %v", finished, len(all), err)
	}
	times := map[app.StepCode]int{}
	back := 0
	for _, l := range all[0].Log {
		switch l.Event {
		case app.LogDone:
			times[l.Step]++
		case app.LogBack:
			back++
		}
	}
	for step, n := range times {
		if n != 1 {
			w.Errorf("%s was done %d times", step, n)
		}
	}
	if back != 1 {
		w.Errorf("back %d times", back)
	}
}

// reads reads the report back from its pages.
func (w *wholeShop) reads(pdftotext string) {
	w.Helper()
	w.must([]string{"incident", "report", "--out", "report.pdf", "--language", "en"}, "format", "pdf")
	text := w.maria.ask("", pdftotext, "-layout", w.root+"/report.pdf", "-")
	for _, want := range []string{
		"Incident report", "Björnbär", "Allt är borta", "Kassan: the backup of", "Bilder: the backup of", "Butiken: the backup of", "Lagret: the backup of",
		"Webben: the backup of", "checks passed", "The shop answers", "Timeline", "What to improve", "Page 1 of",
	} {
		if !strings.Contains(strings.Join(strings.Fields(text), " "), want) {
			w.Errorf("the report lacks %q:\n%s", want, text)
		}
	}
	if strings.Contains(text, adminWord) || strings.Contains(text, testPassphrase) {
		w.Error("the report holds a password")
	}
}

// undone takes the whole restore back: what was destroyed is destroyed again.
func (w *wholeShop) undone() {
	w.Helper()
	w.must([]string{"undo"}, "state", "done")
	if b, err := os.ReadFile(w.db); err != nil || string(b) != wreckedTill {
		w.Errorf("till after the undo: %d bytes, %v", len(b), err)
	}
	if files := w.names(w.pics, "*.jpg"); len(files) > 0 {
		w.Errorf("pictures after the undo: %v", files)
	}
	// what the restore had made again went to the shop's own trash
	w.maria.same("web shop after the undo", shown(w.webState()), shown(w.webWrecked))
	if got := w.mariaAsk("SHOW DATABASES LIKE 'sakila'") + w.pgAsk("SELECT datname FROM pg_database WHERE datname = 'lager'"); strings.Contains(got, "sakila") || strings.Contains(got, "lager\n") {
		w.Errorf("databases after the undo: %s", got)
	}
}

// shown leaves out what lies in the online shop's trash.
func shown(state string) string {
	return strings.Join(slices.DeleteFunc(strings.Split(state, "\n"), func(l string) bool { return strings.HasSuffix(l, " trash") }), "\n")
}

// compare tells what of the shop is not as it was.
func (w *wholeShop) compare(got, want map[string]string) {
	w.Helper()
	for name := range want {
		w.maria.same(name, got[name], want[name])
	}
}
