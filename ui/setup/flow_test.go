package setup

import (
	"errors"
	"strings"
	"testing"

	"kvart/app"
	"kvart/assets"
	"kvart/ui/uitest"
)

func atPass(t *testing.T) *Flow {
	t.Helper()
	f := NewFlow()
	f.know(uitest.Forms())
	f.discovered(uitest.Found())
	if !f.next() {
		t.Fatal("stuck at what to protect")
	}
	f.loc.Choose("folder")
	f.loc.Fill(map[string]string{"path": "/x"}, nil)
	if f.next() {
		t.Fatal("went on without a proof")
	}
	if err := f.loc.Proved(app.StorageReport{State: app.LocationEmpty}); err != nil {
		t.Fatal(err)
	}
	if !f.next() || f.page != pagePass {
		t.Fatal("stuck at the storage")
	}
	return f
}

func TestFlow_nothingTicked(t *testing.T) {
	t.Parallel()
	f := NewFlow()
	if f.lack() != "what" || f.next() {
		t.Error("goes on with nothing to protect")
	}
}

func TestFlow_passphrases(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct {
		own                 bool
		first, second, last string
		want                string
	}{
		"own":               {true, "a long enough one", "a long enough one", "", ""},
		"short":             {true, "short", "short", "", "pass.short"},
		"differs":           {true, "a long enough one", "a long enough two", "", "pass.differ"},
		"written down":      {false, "", "", " WXYZ ", ""},
		"not written down":  {false, "", "", "wxy", "pass.last"},
		"nothing typed yet": {false, "", "", "", "pass.last"},
	} {
		f := atPass(t)
		f.generated = "abcd-efgh-wxyz"
		f.own, f.first, f.second, f.last = tt.own, tt.first, tt.second, tt.last
		if got := f.lack(); got != tt.want {
			t.Errorf("%s: lacks %q, want %q", name, got, tt.want)
		}
	}
}

func TestFlow_whatIsTypedUndoesTheProof(t *testing.T) {
	t.Parallel()
	f := atPass(t)
	f.back()
	f.loc.Fill(map[string]string{"path": "/y"}, nil)
	if f.lack() != "where" {
		t.Error("the proof of another place counts")
	}
	f = atPass(t)
	f.back()
	f.loc.Choose("s3")
	if f.lack() != "where" {
		t.Error("the proof of another kind counts")
	}
}

func TestFlow_foreignPlaceIsNoProof(t *testing.T) {
	t.Parallel()
	f := atPass(t)
	f.back()
	if err := f.loc.Proved(app.StorageReport{State: app.LocationForeign}); app.CodeOf(err) != app.CodeStorageForeign || f.lack() != "where" {
		t.Errorf("%v, lacks %q", err, f.lack())
	}
}

func TestFlow_resume(t *testing.T) {
	t.Parallel()
	f := atPass(t)
	f.resume(uitest.Empty(), false)
	if f.page != pagePass {
		t.Errorf("taken up at %s", f.page)
	}
	f.resume(uitest.NoSources(), false)
	if f.page != pageWhat || len(f.pages()) != 3 {
		t.Errorf("with a vault taken up at %s of %v", f.page, f.pages())
	}
	f.resume(uitest.Safe(), false)
	if f.page != pageFirst || len(f.pages()) != 2 {
		t.Errorf("with a kit taken up at %s of %v", f.page, f.pages())
	}
	f.page = pageKit
	f.resume(uitest.Kitless(), false)
	if f.page != pageKit {
		t.Errorf("without a kit taken up at %s of %v", f.page, f.pages())
	}
	f.resume(uitest.Failed(), true)
	if f.page != pageWhere || len(f.pages()) != 2 {
		t.Errorf("reconnects at %s of %v", f.page, f.pages())
	}
}

func TestFlow_discoveringAgainKeepsTicks(t *testing.T) {
	t.Parallel()
	f := NewFlow()
	f.discovered(uitest.Found())
	f.picks[0].On = false
	f.add("folder", "Ny", map[string]string{"path": "/ny"})
	f.add("folder", "Ny", map[string]string{"path": "/ny"})
	f.discovered(uitest.Found())
	if len(f.picks) != 4 || f.picks[0].On || !f.picks[3].On {
		t.Errorf("%+v", f.picks)
	}
}

func TestGenerate(t *testing.T) {
	t.Parallel()
	seen := map[string]bool{}
	for range 50 {
		p, err := generate()
		if err != nil {
			t.Fatal(err)
		}
		if len(p) != groups*groupLength+groups-1 || strings.ContainsAny(p, "ilo01") || seen[p] {
			t.Errorf("%q", p)
		}
		seen[p] = true
	}
	if got := lastGroup("ab-cd-ef"); got != "ef" {
		t.Errorf("last group %q", got)
	}
}

func TestFlow_forgetsSecrets(t *testing.T) {
	t.Parallel()
	f := atPass(t)
	f.first, f.second, f.generated, f.last = "a", "a", "b", "b"
	f.loc.Choose("s3")
	f.loc.Fill(map[string]string{"bucket": "b"}, app.Secrets{"secret_key": app.NewSecret("s")})
	f.forget()
	if f.first+f.second+f.generated+f.last != "" || len(f.loc.Filled().Secrets) != 0 {
		t.Errorf("%+v", f)
	}
}

func TestModelFirst(t *testing.T) {
	t.Parallel()
	w, err := assets.NewWords("en")
	if err != nil {
		t.Fatal(err)
	}
	broken := uitest.FirstDay()
	broken.Sources[0].Error = &app.Error{Code: app.CodeSourceMissing}
	running := uitest.FirstDay()
	running.Job = uitest.BackingUp().Job
	unread := uitest.Safe()
	unread.Sources[0].Point.Verified = false
	f := NewFlow()
	f.discovered(uitest.Found())
	for name, tt := range map[string]struct {
		s    app.Status
		want firstState
	}{
		"first": {uitest.FirstDay(), firstWaiting}, "running": {running, firstRunning}, "broken": {broken, firstFailed}, "done": {uitest.Safe(), firstDone},
		"no kit": {uitest.Kitless(), firstKit}, "late": {uitest.Late(), firstUnsure}, "not read back": {unread, firstWaiting},
	} {
		if v := modelFirst(w, tt.s, f, uitest.Now()); v.State != tt.want || v.Button == "" {
			t.Errorf("%s: %s", name, v.State)
		}
	}
	f.failed = map[string]error{"kassa.db": errors.New("x"), "lager.db": errors.New("y")}
	if v := modelFirst(w, uitest.NoSources(), f, uitest.Now()); v.State != firstNothing || len(v.Problems) != 2 {
		t.Errorf("%+v", v)
	}
}

// TestFlow_asksUntilAllIsAnswered: what is ticked and lacks something is asked
// about, one after the other; what is not ticked never.
func TestFlow_asksUntilAllIsAnswered(t *testing.T) {
	t.Parallel()
	f := NewFlow()
	f.know(uitest.DatabaseForms())
	other := uitest.FoundDatabase()
	other.Name, other.Settings, other.Likely = "Lager", map[string]string{"host": "10.0.0.2"}, false
	f.discovered(append(uitest.Found(), uitest.FoundDatabase(), other))
	if f.lack() != "" || !f.next() || f.page != pageAsk || f.picks[f.asked].Name != "MariaDB" {
		t.Fatalf("at %s, asked %d", f.page, f.asked)
	}
	f.answer(map[string]string{"host": "127.0.0.1", "database": "butik"}, "root", app.Secrets{app.AdminPasswordKey: app.NewSecret("x")})
	if !f.ask() || f.page != pageWhere {
		t.Fatalf("at %s", f.page)
	}
	if !f.back() || f.page != pageWhat || !f.next() || f.page != pageWhere {
		t.Fatalf("asked again: at %s", f.page)
	}
	r := f.picks[3].request("Butiken")
	if r.Name != "Butiken" || r.Admin != "root" || r.Settings["database"] != "butik" || r.Secrets[app.AdminPasswordKey].Reveal() != "x" {
		t.Errorf("%+v", r)
	}
	f.discovered(append(uitest.Found(), uitest.FoundDatabase(), other)) // looked again
	if !f.picks[3].Answered || f.picks[3].Name != "MariaDB" {
		t.Errorf("the answer is lost: %+v", f.picks[3])
	}
	f.added([]int{3})
	if p := f.picks[3]; !p.Added || len(p.Secrets) != 0 || p.Admin != "" {
		t.Errorf("secrets stay: %+v", p)
	}
}

// TestFlow_foundWhileDescribing: what is found late does not change what is
// asked about.
func TestFlow_foundWhileDescribing(t *testing.T) {
	t.Parallel()
	f := NewFlow()
	f.know(uitest.DatabaseForms())
	f.add("folder", "Bilder", map[string]string{"path": "/b"})
	f.describe(uitest.MySQL(), "MySQL")
	f.discovered(uitest.Found())
	if p := f.picks[f.asked]; p.Kind != "mysql" || !p.Own {
		t.Errorf("asks about %+v", p)
	}
	if !f.back() || f.page != pageWhat || len(f.picks) != 4 {
		t.Errorf("at %s with %d", f.page, len(f.picks))
	}
}
