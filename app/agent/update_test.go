package agent

import (
	"context"
	"encoding/base64"
	"sync"
	"testing"
	"time"

	"kvart/app"
)

// fakeFeed is an updater that tells what a test wants.
type fakeFeed struct {
	mu      sync.Mutex
	release app.Release
	err     error
	seen    []int64 // what it was told had been seen
	fetched string
	pieces  int
	looking func() // is called while it is asked
}

func (f *fakeFeed) Look(_ context.Context, _ app.UpdateSettings, seen int64) (app.Release, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.seen = append(f.seen, seen)
	if looking := f.looking; looking != nil {
		f.looking = nil
		f.mu.Unlock()
		looking()
		f.mu.Lock()
	}
	return f.release, f.err
}

func (f *fakeFeed) Newer(a, b string) bool { return a != b }

func (f *fakeFeed) Fetch(ctx context.Context, r app.ReleaseFile, dir string, p app.Progress, pause func(context.Context) error) (string, error) {
	for range 2 {
		if err := pause(ctx); err != nil {
			return "", err
		}
		f.mu.Lock()
		f.pieces++
		f.mu.Unlock()
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	f.fetched = dir + "/" + r.Name
	return f.fetched, nil
}

func (f *fakeFeed) Fetched(app.ReleaseFile, string) string {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.fetched
}

func (f *fakeFeed) fetchedPieces() int {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.pieces
}

var _ app.Updater = (*fakeFeed)(nil)

// withFeed gives a shop a feed that tells of a newer version.
func withFeed(s *shopTest) *fakeFeed {
	f := &fakeFeed{release: app.Release{Version: "9.0.0", Serial: 5, File: app.ReleaseFile{Name: "kvart.deb", Kind: "deb"}}}
	s.Config.Updates = f
	return f
}

func newerNoted(st app.Status) bool {
	for _, n := range st.Notes {
		if n.Error.Code == app.CodeUpdateNewer {
			return n.Error.Args["version"] == "9.0.0"
		}
	}
	return false
}

func TestUpdates_offUntilOneIsSet(t *testing.T) {
	t.Parallel()
	s := newShopTest(t)
	f := withFeed(s)
	if err := s.updateDue(t.Context()); err != nil {
		t.Fatal(err)
	}
	st, err := s.CheckUpdate(t.Context())
	if err != nil || st.Settings.Feed != "" || st.Newer != nil || len(f.seen) != 0 {
		t.Errorf("%+v, %v, asked %v", st, err, f.seen)
	}
	if _, err := s.StartUpdate(t.Context()); app.CodeOf(err) != app.CodeUpdateMissing {
		t.Errorf("got %v", err)
	}
}

func TestUpdates_wholeWay(t *testing.T) {
	t.Parallel()
	s := newShopTest(t)
	f := withFeed(s)
	set := app.UpdateSettings{Feed: "https://kvart.example/feed.json", Key: "k"}
	f.err = app.Errorf(app.CodeUpdateForged, "look", "forged")
	if _, err := s.SetUpdates(t.Context(), set); app.CodeOf(err) != app.CodeUpdateForged || s.Store.Document().Updates != nil {
		t.Fatalf("a feed that can't be trusted is kept: %v", err)
	}
	f.err = nil
	st, err := s.SetUpdates(t.Context(), set)
	if err != nil || st.Newer == nil || st.Newer.Version != "9.0.0" || !newerNoted(s.status()) {
		t.Fatalf("%+v, %v", st, err)
	}
	s.crash()
	s.start()
	s.Config.Updates = f
	if _, err := s.CheckUpdate(t.Context()); err != nil {
		t.Fatal(err)
	}
	if got := f.seen[len(f.seen)-1]; got != 5 {
		t.Errorf("after a crash %d was seen: an older feed would be believed", got)
	}
	j := s.job(s.StartUpdate(t.Context()))
	if j.State != app.JobDone || j.Kind != app.JobUpdate {
		t.Fatalf("%+v", j)
	}
	if st, err = s.Updates(t.Context()); err != nil || st.Path == "" {
		t.Errorf("%+v, %v", st, err)
	}

	f.err = app.Errorf(app.CodeUpdateFeed, "look", "gone")
	if st, err := s.CheckUpdate(t.Context()); app.CodeOf(err) != app.CodeUpdateFeed || st.Newer == nil || st.Error == nil {
		t.Errorf("a feed that is away takes back what it told: %+v, %v", st, err)
	}
	f.err = app.Errorf(app.CodeUpdateForged, "look", "forged")
	if st, err := s.CheckUpdate(t.Context()); app.CodeOf(err) != app.CodeUpdateForged || st.Newer != nil || newerNoted(s.status()) {
		t.Errorf("one that can't be trusted is still believed: %+v, %v", st, err)
	}
	if st, err := s.SetUpdates(t.Context(), app.UpdateSettings{}); err != nil || st.Settings.Feed != "" {
		t.Errorf("off: %+v, %v", st, err)
	}
	asked := len(f.seen)
	if _, err := s.CheckUpdate(t.Context()); err != nil || len(f.seen) != asked {
		t.Errorf("asked although it is off: %v", err)
	}
}

// TestUpdates_onceADay: whatever the clock does, once a day is asked, and a
// clock that was an hour off does not keep it from being asked.
func TestUpdates_onceADay(t *testing.T) {
	t.Parallel()
	s := newShopTest(t)
	f := withFeed(s)
	s.Config.Feed = app.UpdateSettings{Feed: "https://kvart.example/feed.json", Key: "k"} // built in
	now := s.Now()
	s.Config.Now = func() time.Time { return now }
	for i, c := range []struct {
		move time.Duration
		want int
	}{{0, 1}, {time.Hour, 1}, {-2 * time.Hour, 1}, {26 * time.Hour, 2}, {-48 * time.Hour, 3}} {
		now = now.Add(c.move)
		if err := s.updateDue(t.Context()); err != nil {
			t.Fatal(err)
		}
		if len(f.seen) != c.want {
			t.Errorf("step %d: asked %d times, want %d", i, len(f.seen), c.want)
		}
	}
}

// TestUpdates_giveWay: nothing is fetched while something else runs or an
// incident is open.
func TestUpdates_giveWay(t *testing.T) {
	t.Parallel()
	s := newShopTest(t)
	f := withFeed(s)
	if _, err := s.SetUpdates(t.Context(), app.UpdateSettings{Feed: "https://kvart.example/f", Key: "k"}); err != nil {
		t.Fatal(err)
	}
	free := make(chan struct{})
	other, err := s.Agent.start(app.JobRestore, nil, func(ctx context.Context, _ *job) error {
		select {
		case <-free:
		case <-ctx.Done():
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	id, err := s.StartUpdate(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if again, err := s.StartUpdate(t.Context()); err != nil || again != id {
		t.Errorf("a second one: %s, %v", again, err)
	}
	time.Sleep(50 * time.Millisecond)
	if n := f.fetchedPieces(); n != 0 {
		t.Errorf("%d pieces came while something was restored", n)
	}
	if st := s.status(); st.Job == nil || st.Job.Kind != app.JobRestore {
		t.Errorf("shown is %+v", st.Job)
	}
	close(free)
	<-other.done
	if err := s.Cancel(t.Context(), id); err != nil {
		t.Fatal(err)
	}
	if j, err := s.Wait(t.Context(), id); err != nil || j.State == app.JobRunning {
		t.Errorf("%+v, %v", j, err)
	}
}

// TestUpdates_setWhileAsked: a look takes up to half a minute, and wrote back
// where it had looked over what the owner had set meanwhile.
func TestUpdates_setWhileAsked(t *testing.T) {
	t.Parallel()
	s := newShopTest(t)
	f := withFeed(s)
	first := app.UpdateSettings{Feed: "https://kvart.example/feed.json", Key: "k"}
	for name, own := range map[string]app.UpdateSettings{"another": {Feed: "https://own.example/feed.json", Key: "own"}, "off": {}} {
		s.Config.Feed = first
		if _, err := s.SetUpdates(t.Context(), first); err != nil {
			t.Fatal(err)
		}
		f.looking = func() {
			f.release.Version = "7.0.0"
			if _, err := s.SetUpdates(t.Context(), own); err != nil {
				t.Error(err)
			}
			f.release.Version = "9.0.0"
		}
		st, err := s.CheckUpdate(t.Context())
		if err != nil || st.Settings != own {
			t.Errorf("%s: %+v, %v", name, st.Settings, err)
		}
		if st.Newer != nil && (own.Feed == "" || st.Newer.Version != "7.0.0") {
			t.Errorf("%s: what the other feed told is believed: %+v", name, st.Newer)
		}
	}
}

// TestUpdates_packed: a feed that came with the package is the package's to
// move; the owner's own stays the owner's.
func TestUpdates_packed(t *testing.T) {
	t.Parallel()
	s := newShopTest(t)
	f := withFeed(s)
	s.Config.Feed = app.UpdateSettings{Feed: "https://kvart.example/feed.json", Key: "k"}
	if _, err := s.CheckUpdate(t.Context()); err != nil {
		t.Fatal(err)
	}
	if _, err := s.SetUpdates(t.Context(), s.Config.Feed); err != nil { // set by hand as it is
		t.Fatal(err)
	}
	s.Config.Feed.Feed = "https://new.kvart.example/feed.json" // the next package's
	st, err := s.CheckUpdate(t.Context())
	if err != nil || st.Settings != s.Config.Feed || f.seen[len(f.seen)-1] != 5 {
		t.Errorf("%+v, %v, seen %v", st.Settings, err, f.seen)
	}
	own := app.UpdateSettings{Feed: "https://own.example/feed.json", Key: "own"}
	if _, err := s.SetUpdates(t.Context(), own); err != nil {
		t.Fatal(err)
	}
	s.Config.Feed.Feed = "https://newest.kvart.example/feed.json"
	if st, err := s.CheckUpdate(t.Context()); err != nil || st.Settings != own {
		t.Errorf("the owner's own: %+v, %v", st.Settings, err)
	}
}

// TestUpdates_seenStaysSeen: whatever is set between, an older feed of a key is
// never believed after a newer one.
func TestUpdates_seenStaysSeen(t *testing.T) {
	t.Parallel()
	s := newShopTest(t)
	f := withFeed(s)
	key := base64.StdEncoding.EncodeToString(make([]byte, 32))
	set := app.UpdateSettings{Feed: "https://kvart.example/feed.json", Key: key}
	must := func(u app.UpdateSettings) {
		t.Helper()
		if _, err := s.SetUpdates(t.Context(), u); err != nil {
			t.Fatal(err)
		}
	}
	for name, between := range map[string][]app.UpdateSettings{
		"nothing":     nil,
		"off":         {{}},
		"another key": {{Feed: set.Feed, Key: "own"}},
		"both":        {{Feed: set.Feed, Key: "own"}, {}},
	} {
		must(set)
		for _, u := range between {
			must(u)
		}
		for _, again := range []string{key, " " + key + "\n"} {
			must(app.UpdateSettings{Feed: "https://mirror.example/feed.json", Key: again})
			if got := f.seen[len(f.seen)-1]; got != 5 {
				t.Errorf("%s, then %q: %d was seen", name, again, got)
			}
		}
	}
	// as a program of form 2 left it
	if err := s.Store.Update(func(d *Document) error {
		d.Updates, d.FeedSerials = &UpdateRecord{UpdateSettings: set, Serial: 8}, nil
		return nil
	}); err != nil {
		t.Fatal(err)
	}
	f.release.Serial = 9
	must(app.UpdateSettings{Feed: set.Feed, Key: "own"})
	must(set)
	if got := f.seen[len(f.seen)-1]; got != 8 {
		t.Errorf("of an earlier program's settings %d was seen", got)
	}
	// an older one that was asked for before a newer one came
	f.release.Serial = 9
	f.looking = func() {
		f.release.Serial = 12
		must(set)
		f.release.Serial = 9
	}
	if _, err := s.CheckUpdate(t.Context()); app.CodeOf(err) != app.CodeUpdateOld {
		t.Errorf("an older answer that came late: %v", err)
	}
}
