package agent

import (
	"context"
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
}

func (f *fakeFeed) Look(_ context.Context, _ app.UpdateSettings, seen int64) (app.Release, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.seen = append(f.seen, seen)
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
