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
	f.tried(f.picks, []int{f.picks[3].id})
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

// TestFlow_draft: what is kept of a setup that is left can be taken up again, and
// holds neither secrets nor what is as it was found.
func TestFlow_draft(t *testing.T) {
	t.Parallel()
	begin := func() *Flow {
		f := NewFlow()
		f.know(uitest.DatabaseForms())
		return f
	}
	found := append(uitest.Found(), uitest.FoundDatabase())
	f := begin()
	f.recall(app.SetupDraft{}, nil)
	f.discovered(found)
	if d := f.draft(); !d.Empty() {
		t.Errorf("nothing was done, and %+v is kept", d)
	}
	f.picks[1].On = false
	f.add("folder", "Ny", map[string]string{"path": "/ny"})
	f.next()
	f.typed(map[string]string{"host": "10.0.0.9", "database": "but"}, nil)
	d := f.draft()
	if d.Page != "ask" || len(d.Picks) != 4 || d.Picks[2].Settings["database"] != "but" || d.Picks[2].Whole {
		t.Fatalf("%+v", d)
	}
	f.answer(map[string]string{"host": "10.0.0.9", "database": "butik"}, "", app.Secrets{"password": app.NewSecret("hemligt")})
	f.ask()
	f.loc.Choose("s3")
	f.loc.Fill(map[string]string{"bucket": "b"}, app.Secrets{"secret_key": app.NewSecret("s")})
	f.shop = "Kaffe"
	d = f.draft()
	if d.Page != "where" || d.Storage.Settings["bucket"] != "b" || d.Shop != "Kaffe" {
		t.Fatalf("%+v", d)
	}

	g := begin()
	g.recall(d, nil)
	g.discovered(found)
	if g.page != pageAsk || g.picks[g.asked].Name != "MariaDB" || !g.picks[g.asked].Again || g.filled("database") != "butik" || len(g.ticked()) != 3 {
		t.Fatalf("at %s, %+v", g.page, g.picks)
	}
	if g.shop != "Kaffe" || g.loc.Kind != "s3" || g.loc.Filled().Settings["bucket"] != "b" || len(g.loc.Filled().Secrets) != 0 || g.loc.Report != nil {
		t.Errorf("%+v", g.loc)
	}
	g.discovered(nil) // the server is off today, and the disk is not there
	if len(g.ticked()) != 3 || g.picks[g.asked].Name != "MariaDB" {
		t.Errorf("what was wanted or filled in is lost: %+v", g.picks)
	}
	g.tried(g.picks, []int{g.picks[0].id, g.picks[1].id, g.picks[2].id})
	g.hasVault, g.page = true, pageFirst
	if d := g.draft(); !d.Empty() {
		t.Errorf("all is done, and %+v is kept", d)
	}
}

// filled returns what is filled in of the pick that is asked about.
func (f *Flow) filled(key string) string { return f.picks[f.asked].filling().Settings[key] }

// TestFlow_recallUndoesNothing: what the owner did already counts more than what
// was kept, and kinds that are no more are left out.
func TestFlow_recallUndoesNothing(t *testing.T) {
	t.Parallel()
	d := app.SetupDraft{Page: "where", Picks: []app.DraftPick{{Kind: "gone", Name: "X", On: true, Own: true}}, Storage: app.DraftStorage{Kind: "gone"}}
	f := NewFlow()
	f.know(uitest.Forms())
	f.recall(d, nil)
	if f.page != pageWhat || len(f.picks) != 0 || f.loc.Kind != "" {
		t.Errorf("at %s with %+v", f.page, f.picks)
	}
	// what a recovery kit brought back meanwhile is protected
	back := app.SourceStatus{Source: app.Source{Kind: "sqlite", Settings: map[string]string{"path": "/k.db"}}}
	f = NewFlow()
	f.know(uitest.Forms())
	f.recall(app.SetupDraft{Picks: []app.DraftPick{
		{Kind: "sqlite", Name: "Kassan", Found: map[string]string{"path": "/k.db"}, On: true},
		{Kind: "sqlite", Name: "Lager", Found: map[string]string{"path": "/l.db"}, On: true},
	}}, []app.SourceStatus{back})
	if len(f.unadded()) != 1 || f.picks[0].Name != "Lager" {
		t.Errorf("%+v", f.picks)
	}
	f = NewFlow()
	f.know(uitest.Forms())
	f.add("folder", "Ny", map[string]string{"path": "/ny"})
	f.recall(app.SetupDraft{Page: "where", Shop: "Y"}, nil)
	if f.page != pageWhat || f.shop != "" || len(f.picks) != 1 {
		t.Errorf("at %s with %+v", f.page, f.picks)
	}
}

// TestModelFirst_left: protected is said only when nothing is left, and what is
// left is said by name.
func TestModelFirst_left(t *testing.T) {
	t.Parallel()
	w, err := assets.NewWords("en")
	if err != nil {
		t.Fatal(err)
	}
	unread := uitest.Safe()
	unread.Sources[1].Point.Verified = false
	unconfirmed := uitest.Safe()
	unconfirmed.Kit = app.KitState{Number: 3, Made: uitest.Now()}
	part := NewFlow()
	part.picks = []pick{{Found: app.Found{Name: "Butiken"}, On: true, Tried: true}, {Found: app.Found{Name: "Annat"}, On: true}}
	for name, tt := range map[string]struct {
		s     app.Status
		f     *Flow
		state firstState
		left  string // what is not done; "" for nothing
	}{
		"all done":    {uitest.Safe(), NewFlow(), firstDone, ""},
		"not read":    {unread, NewFlow(), firstWaiting, "Lager is backed up; the backup has yet to be read back"},
		"kit":         {uitest.Kitless(), NewFlow(), firstKit, "The recovery kit has yet to be made and confirmed"},
		"unconfirmed": {unconfirmed, NewFlow(), firstKit, "The recovery kit is made; its code has yet to be typed back"},
		"not added":   {uitest.Safe(), part, firstPart, "Butiken isn't connected yet, and not protected"},
	} {
		v := modelFirst(w, tt.s, tt.f, uitest.Now())
		var left []string
		for _, l := range v.Left {
			if !l.Done {
				left = append(left, l.Text)
			}
		}
		if v.State != tt.state || strings.Join(left, "\n") != tt.left {
			t.Errorf("%s: %s, left %q", name, v.State, left)
		}
	}
	late := uitest.Late()
	if v := modelFirst(w, late, NewFlow(), uitest.Now()); v.State != firstUnsure || len(v.Problems) == 0 || v.Problems[0].Source != "Lager" {
		t.Errorf("something else is amiss, and not said: %+v", v)
	}
}
