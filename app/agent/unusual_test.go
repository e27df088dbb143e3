package agent

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"kvart/app"
	"kvart/app/watch"
	"kvart/connectors/all"
)

const folderKind app.Kind = "folder"

// withFolder knows folders beside the fake kind.
type withFolder struct {
	kinds
	real Connectors
}

func (w withFolder) Connector(kind app.Kind) (app.Connector, error) {
	if kind == folderKind {
		return w.real.Connector(kind)
	}
	return w.kinds.Connector(kind)
}

// lamp is a lookout whose eyes and couriers are the test's.
type lamp struct {
	*watch.Watch
	mu    sync.Mutex
	front func() app.StorefrontProbe
	reach bool
	send  func(app.Alert) error
	sent  []app.Alert
	beats int
	beat  error
	// peaks lets the trade's days count: without it a test must not depend on
	// the day it runs on.
	peaks    bool
	way      string // how the proof that the shop is the owner's is found
	rehearse func(context.Context, app.CapacityRun) app.CapacityResult
	domain   func() *app.DomainStatus
	asked    int // about the domain
}

func (l *lamp) PeakDays(country string, own []app.OwnDay, from, to time.Time) ([]app.PeakDay, error) {
	if !l.peaks && len(own) == 0 {
		return nil, nil
	}
	if !l.peaks {
		country = ""
	}
	return l.Watch.PeakDays(country, own, from, to)
}

func (l *lamp) FindProof(context.Context, app.StorefrontSettings, string) (string, error) {
	return l.way, nil
}

func (l *lamp) Rehearse(ctx context.Context, r app.CapacityRun) (app.CapacityResult, error) {
	return l.rehearse(ctx, r), nil
}

func (l *lamp) Domain(context.Context, app.StorefrontSettings) *app.DomainStatus {
	l.asked++
	if l.domain == nil {
		return nil
	}
	return l.domain()
}

func (l *lamp) Probe(context.Context, app.StorefrontSettings) app.StorefrontProbe { return l.front() }

func (l *lamp) Reach(context.Context, string) bool { return l.reach }

func (l *lamp) Send(_ context.Context, _ app.Channel, _ func(string) app.Secret, a app.Alert) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.send != nil {
		if err := l.send(a); err != nil {
			return err
		}
	}
	l.sent = append(l.sent, a)
	return nil
}

func (l *lamp) Beat(context.Context, app.Secret) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.beats++
	return l.beat
}

func (l *lamp) told() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	var out []string
	for _, a := range l.sent {
		if a.Cause == causeKit {
			continue // every test's shop lacks one
		}
		out = append(out, string(a.State)+" "+a.Cause)
	}
	return strings.Join(out, ", ")
}

// watchTest is a shop that is watched over, with a folder of pictures.
type watchTest struct {
	*shopTest
	lamp *lamp
	dir  string
}

func newWatchTest(t *testing.T) *watchTest {
	t.Helper()
	s := newShopTest(t)
	w := &watchTest{shopTest: s, lamp: &lamp{Watch: watch.New(watch.Options{})}, dir: t.TempDir()}
	s.lookout = w.lamp
	s.known = withFolder{kinds{s.shop}, all.Registry(slog.New(slog.DiscardHandler), all.Options{Cache: t.TempDir()})}
	s.crash()
	for i := range 120 {
		w.write(fmt.Sprintf("%03d.jpg", i), "\xff\xd8\xff\xe0"+strings.Repeat("bild", 500))
	}
	if _, err := s.AddSource(t.Context(), app.AddSourceRequest{Kind: folderKind, Name: "Bilder", Settings: map[string]string{"path": w.dir}}); err != nil {
		t.Fatal(err)
	}
	for i := range 6 {
		w.write("kassa.txt", strings.Repeat("rad\n", 20+i))
		w.later(20 * time.Minute)
		w.backup()
	}
	return w
}

func (w *watchTest) later(d time.Duration) { w.clock.ahead.Add(int64(d)) }

func (w *watchTest) write(name, text string) {
	w.t.Helper()
	if err := os.WriteFile(filepath.Join(w.dir, name), []byte(text), 0o600); err != nil {
		w.t.Fatal(err)
	}
}

// attack puts noise in place of every picture.
func (w *watchTest) attack() {
	w.t.Helper()
	for i := range 120 {
		old := filepath.Join(w.dir, fmt.Sprintf("%03d.jpg", i))
		if err := os.Remove(old); err != nil {
			w.t.Fatal(err)
		}
		w.write(fmt.Sprintf("%03d.jpg.lockbit", i), strings.Repeat("\x93\x11\xfe\x07\xc4", 500))
	}
	w.later(15 * time.Minute)
	w.backup()
}

func (w *watchTest) points(source app.SourceID) []app.Point {
	w.t.Helper()
	points, err := w.Points(w.t.Context(), app.PointsRequest{Source: string(source)})
	if err != nil {
		w.t.Fatal(err)
	}
	return points
}

func (w *watchTest) chore() {
	w.t.Helper()
	if err := w.pinDue(w.t.Context()); err != nil {
		w.t.Fatal(err)
	}
}

func (w *watchTest) keepFew() {
	w.t.Helper()
	if err := w.SetSettings(w.t.Context(), app.Settings{Keep: app.Retention{Latest: 4, Monthly: 1}}); err != nil {
		w.t.Fatal(err)
	}
}

func TestUnusual_alarmInTheSameQuarterWithGoodPointsKept(t *testing.T) {
	t.Parallel()
	w := newWatchTest(t)
	w.wantVerdict(app.VerdictSafe)
	good := w.points("bilder")[0]
	w.attack()
	st := w.status()
	if len(st.Unusual) != 1 || st.Unusual[0].Level != app.UnusualAlarm || st.Verdict != app.VerdictSuspicious {
		t.Fatalf("verdict %s, unusual %+v", st.Verdict, st.Unusual)
	}
	u := st.Unusual[0]
	if u.Good != good.ID || u.Pinned[0] != good.ID || u.Point == good.ID || u.Point == "" {
		t.Errorf("good is %s, pinned %v, marked %s; want good %s", u.Good, u.Pinned, u.Point, good.ID)
	}
	for range 5 {
		w.chore()
	}
	pinned := 0
	for _, p := range append(w.points("bilder"), w.points("kassan")...) {
		if p.Pinned {
			pinned++
		}
		if p.ID == u.Point && p.Pinned {
			t.Error("the marked point was pinned")
		}
	}
	if pinned != 7 { // six of the folder, and the till's one: an alarm keeps everything
		t.Errorf("%d points are pinned", pinned)
	}
	if w.notices.log[len(w.notices.log)-1] != "+unusual.bilder" {
		t.Errorf("told %v", w.notices.log)
	}
	w.crash() // what was asked is asked still
	w.write("mer.txt", "rad")
	w.later(15 * time.Minute)
	w.backup()
	if st := w.status(); len(st.Unusual) != 1 || st.Verdict != app.VerdictSuspicious {
		t.Errorf("after a crash: %+v", st.Unusual)
	}
}

func TestUnusual_nothingExpiresUntilAnswered(t *testing.T) {
	t.Parallel()
	w := newWatchTest(t)
	w.keepFew()
	w.attack()
	before := len(w.points("bilder"))
	w.job(w.StartMaintain(t.Context()))
	if n := len(w.points("bilder")); n != before {
		t.Fatalf("%d of %d points are left while the question is open", n, before)
	}
	u, err := w.AnswerUnusual(t.Context(), app.AnswerRequest{Source: "Bilder", Yes: true})
	if err != nil || !u.Yes || u.Open() {
		t.Fatalf("%+v, %v", u, err)
	}
	w.wantVerdict(app.VerdictSafe)
	for range 5 {
		w.chore()
	}
	w.job(w.StartMaintain(t.Context()))
	if n := len(w.points("bilder")); n >= before {
		t.Errorf("%d of %d points are left after the answer", n, before)
	}
	if slices.ContainsFunc(w.points("bilder"), func(p app.Point) bool { return p.Pinned }) {
		t.Error("points are pinned after a yes")
	}
	if _, err := w.AnswerUnusual(t.Context(), app.AnswerRequest{Source: "Bilder", Yes: true}); app.CodeOf(err) != app.CodeNothingAsked {
		t.Errorf("answered twice: %v", err)
	}
	w.write("mer.txt", "rad")
	w.later(15 * time.Minute)
	w.backup()
	if st := w.status(); len(st.Unusual) != 0 {
		t.Errorf("asked again: %+v", st.Unusual)
	}
}

func TestUnusual_noDoesNotWaitForARun(t *testing.T) {
	t.Parallel()
	w := newWatchTest(t)
	w.attack()
	if err := w.lock(t.Context()); err != nil {
		t.Fatal(err)
	}
	defer w.unlock()
	if _, err := w.AnswerUnusual(t.Context(), app.AnswerRequest{Source: "Bilder"}); err != nil {
		t.Fatal(err)
	}
	if i, err := w.Incident(t.Context()); err != nil || i.Playbook != app.PlaybookHacked {
		t.Errorf("%+v, %v", i.Playbook, err)
	}
}

func TestUnusual_noOpensThePlaybook(t *testing.T) {
	t.Parallel()
	w := newWatchTest(t)
	w.keepFew()
	good := w.points("bilder")[0]
	w.attack()
	before := len(w.points("bilder"))
	if _, err := w.AnswerUnusual(t.Context(), app.AnswerRequest{Source: "Bilder"}); err != nil {
		t.Fatal(err)
	}
	i, err := w.Incident(t.Context())
	if err != nil || i.Playbook != app.PlaybookHacked || !i.Choice.Before.After(good.Time) {
		t.Fatalf("%+v, %v", i, err)
	}
	w.job(w.StartMaintain(t.Context()))
	if n := len(w.points("bilder")); n != before {
		t.Errorf("%d of %d points are left", n, before)
	}
	all, err := w.Candidates(t.Context(), app.CandidatesRequest{Source: "Bilder"})
	if err != nil {
		t.Fatal(err)
	}
	for n, c := range all {
		marked := n == 0
		if (c.Unusual != "") != marked || c.Proposed != (c.Point.ID == good.ID) {
			t.Errorf("candidate %d: unusual %q, proposed %v", n, c.Unusual, c.Proposed)
		}
	}
}

func TestUnusual_restoreIsNotAsked(t *testing.T) {
	t.Parallel()
	w := newWatchTest(t)
	w.attack()
	if _, err := w.AnswerUnusual(t.Context(), app.AnswerRequest{Source: "Bilder", Yes: true}); err != nil {
		t.Fatal(err)
	}
	all, err := w.Unusuals(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	w.later(time.Minute)
	if j := w.job(w.StartRestore(t.Context(), app.RestoreRequest{Sources: []string{"Bilder"}, Point: all[0].Good})); j.Error != nil {
		t.Fatal(j.Error)
	}
	for range 2 {
		w.later(15 * time.Minute)
		w.write("mer.txt", w.clock.now().String())
		w.backup()
	}
	if st := w.status(); len(st.Unusual) != 0 {
		t.Errorf("asked about a restore: %+v", st.Unusual)
	}
}

func TestUnusual_restoreThenARunThatFailed(t *testing.T) {
	t.Parallel()
	w := newWatchTest(t)
	good := w.points("bilder")[0].ID
	for i := range 110 {
		w.write(fmt.Sprintf("ny%03d.jpg", i), "\xff\xd8\xff\xe0"+strings.Repeat("ny", 500))
	}
	w.later(15 * time.Minute)
	w.backup()
	w.later(time.Minute)
	if j := w.job(w.StartRestore(t.Context(), app.RestoreRequest{Sources: []string{"Bilder"}, Point: good})); j.Error != nil {
		t.Fatal(j.Error)
	}
	for i := range 110 { // as a restore of everything would have left it
		if err := os.Remove(filepath.Join(w.dir, fmt.Sprintf("ny%03d.jpg", i))); err != nil && !errors.Is(err, os.ErrNotExist) {
			t.Fatal(err)
		}
	}
	away := w.dir + "-away"
	if err := os.Rename(w.dir, away); err != nil {
		t.Fatal(err)
	}
	w.later(15 * time.Minute)
	if got := states(w.backup("Bilder")); !strings.HasPrefix(got, "Bilder=failed") {
		t.Fatalf("got %s", got)
	}
	if err := os.Rename(away, w.dir); err != nil {
		t.Fatal(err)
	}
	w.later(15 * time.Minute)
	w.backup("Bilder")
	if st := w.status(); len(st.Unusual) != 0 {
		t.Errorf("asked about a restore: %+v", st.Unusual)
	}
}

func TestUnusual_sourceThatWasRemovedCanBeAnsweredAbout(t *testing.T) {
	t.Parallel()
	w := newWatchTest(t)
	w.attack()
	if err := w.RemoveSource(t.Context(), "Bilder"); err != nil {
		t.Fatal(err)
	}
	if len(w.status().Unusual) != 1 {
		t.Error("forgotten with its source")
	}
	if _, err := w.AnswerUnusual(t.Context(), app.AnswerRequest{Source: "Bilder", Yes: true}); err != nil {
		t.Fatal(err)
	}
	w.wantVerdict(app.VerdictSafe)
	if _, err := w.AnswerUnusual(t.Context(), app.AnswerRequest{Source: "Nix", Yes: true}); app.CodeOf(err) != app.CodeSourceUnknown {
		t.Errorf("got %v", err)
	}
}

func TestUnusual_damagedMemoryIsBegunAnew(t *testing.T) {
	t.Parallel()
	w := newWatchTest(t)
	if err := w.Journal.SetLearned(t.Context(), "bilder", []byte("rubbish"), w.clock.now()); err != nil {
		t.Fatal(err)
	}
	w.write("mer.txt", "rad")
	w.later(15 * time.Minute)
	if got := states(w.backup("Bilder")); got != "Bilder=done" {
		t.Errorf("got %s", got)
	}
	if b, _, err := w.Journal.Learned(t.Context(), "bilder"); err != nil || bytes.Equal(b, []byte("rubbish")) {
		t.Errorf("learned %d bytes, %v", len(b), err)
	}
}

func TestCanary_onlyWithConsent(t *testing.T) {
	t.Parallel()
	w := newWatchTest(t)
	file := filepath.Join(w.dir, watch.CanaryName)
	if _, err := os.Stat(file); !errors.Is(err, os.ErrNotExist) {
		t.Fatalf("planted unasked: %v", err)
	}
	if _, err := w.SetWatch(t.Context(), app.WatchRequest{Settings: app.WatchSettings{Canaries: []string{"Kassan"}}}); app.CodeOf(err) != app.CodeUsage {
		t.Errorf("in what is no folder: %v", err)
	}
	if _, err := w.SetWatch(t.Context(), app.WatchRequest{Settings: app.WatchSettings{Canaries: []string{"Bilder"}}}); err != nil {
		t.Fatal(err)
	}
	w.later(15 * time.Minute)
	w.backup()
	if st := w.status(); len(st.Unusual) != 0 {
		t.Fatalf("asked about planting: %+v", st.Unusual)
	}
	if err := os.WriteFile(file, []byte("pay"), 0o600); err != nil {
		t.Fatal(err)
	}
	w.later(15 * time.Minute)
	w.backup()
	st := w.status()
	if len(st.Unusual) != 1 || st.Unusual[0].Reasons[0].Code != app.UnusualCanary {
		t.Fatalf("unusual %+v", st.Unusual)
	}
	if _, err := w.AnswerUnusual(t.Context(), app.AnswerRequest{Source: "Bilder", Yes: true}); err != nil {
		t.Fatal(err)
	}
	w.later(15 * time.Minute)
	w.backup()
	if st := w.status(); len(st.Unusual) != 0 {
		t.Errorf("asked again: %+v", st.Unusual)
	}
	if _, err := w.SetWatch(t.Context(), app.WatchRequest{}); err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(file); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("left behind: %v", err)
	}
}

func TestState_tellsOtherComputersThatNothingMayExpire(t *testing.T) {
	t.Parallel()
	w := newWatchTest(t)
	w.attack()
	other := w.another("Laptop")
	if _, err := other.OpenVault(t.Context(), app.VaultRequest{
		Storage: app.StorageSpec{Kind: "folder", Settings: map[string]string{"path": "v"}}, Replaces: app.NoComputer,
		Secrets: app.Secrets{app.PassphraseKey: app.NewSecret("mycket hemlig")},
	}); err != nil {
		t.Fatal(err)
	}
	if _, err := other.AddSource(t.Context(), app.AddSourceRequest{Kind: "fake", Name: "Hem", Settings: map[string]string{"path": "kassan"}}); err != nil {
		t.Fatal(err)
	}
	other.backup()
	w.write("mer.txt", "rad")
	w.later(15 * time.Minute)
	w.backup() // the state goes in with it
	v, err := other.openVault(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if kept, err := other.retention(t.Context(), v); err != nil || kept != everything() {
		t.Errorf("the other computer keeps %+v, %v", kept, err)
	}
}

func TestJournal_unusualOpenOncePerSource(t *testing.T) {
	t.Parallel()
	w := newWatchTest(t)
	a, b := app.Unusual{SourceID: "x", At: w.clock.now()}, app.Unusual{SourceID: "x", At: w.clock.now()}
	if err := w.Journal.PutUnusual(t.Context(), &a); err != nil {
		t.Fatal(err)
	}
	if err := w.Journal.PutUnusual(t.Context(), &b); err == nil {
		t.Error("two questions about one source")
	}
}

func TestShops_letGoWhatTheOwnerDeleted(t *testing.T) {
	t.Parallel()
	r := all.Registry(slog.New(slog.DiscardHandler), all.Options{Cache: t.TempDir()})
	for _, kind := range []app.Kind{"shopify", "woocommerce"} {
		c, err := r.Connector(kind)
		if err != nil {
			t.Fatal(err)
		}
		if _, ok := c.(app.GoneAccepter); !ok {
			t.Errorf("%s can't be told that what is gone is meant to be", kind)
		}
	}
}
