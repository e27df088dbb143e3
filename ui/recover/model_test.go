package recover

import (
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"kvart/app"
	"kvart/assets"
	"kvart/ui/uitest"
	"kvart/ui/widgets"
)

func english(t *testing.T) *assets.Words {
	t.Helper()
	w, err := assets.NewWords("en")
	if err != nil {
		t.Fatal(err)
	}
	return w
}

func TestModelPlan_saysWhetherItCanBeUndone(t *testing.T) {
	t.Parallel()
	w := english(t)
	p := uitest.Plan(uitest.Safe(), app.RestoreRequest{})
	if v := modelPlan(w, app.RestoreRequest{}, p, uitest.Now(), nobody); v.Undo != w.T("recover.plan.undoable") || len(v.Rows) != 3 || v.Button != "Restore my shop" {
		t.Errorf("%+v", v)
	}
	p.Undoable = false
	if v := modelPlan(w, app.RestoreRequest{}, p, uitest.Now(), nobody); v.Undo != w.T("recover.plan.final") {
		t.Errorf("%+v", v)
	}
	r := app.RestoreRequest{Sources: []string{"Kassan"}, Target: app.Target{Dir: "/tmp/x"}}
	if v := modelPlan(w, r, p, uitest.Now(), nobody); v.Undo != w.T("recover.plan.elsewhere") || v.Button != "Export" {
		t.Errorf("%+v", v)
	}
}

func TestModelPlan_promisesNoTimeItDoesNotKnow(t *testing.T) {
	t.Parallel()
	p := uitest.Plan(uitest.Safe(), app.RestoreRequest{})
	p.Seconds = 0
	if v := modelPlan(english(t), app.RestoreRequest{}, p, uitest.Now(), nobody); v.Sentence != "1,206 files, 3.5\u00a0GB. How long it takes isn't known yet." {
		t.Errorf("%q", v.Sentence)
	}
}

func TestModelRun_stepsAndClock(t *testing.T) {
	t.Parallel()
	w := english(t)
	j := *uitest.Restoring().Job
	for step, want := range map[app.Step]struct {
		states string
		stop   bool
	}{
		app.StepWaiting: {"open open open open ", true}, app.StepPlan: {"now open open open ", true}, app.StepSafety: {"done now open open ", true},
		app.StepRestore: {"done done now open ", false}, app.StepCheck: {"done done done now ", false},
	} {
		j.Step = step
		v := modelRun(w, j, uitest.Now())
		got := ""
		for _, s := range v.Steps {
			got += string(s.State) + " "
		}
		if got != want.states || v.Stop != want.stop {
			t.Errorf("%s: %s, stop %v", step, got, v.Stop)
		}
	}
	if v := modelRun(w, j, j.Started.Add(16*time.Minute+5*time.Second)); v.Clock != "16:05" || !v.Late {
		t.Errorf("%+v", v)
	}
	if v := modelRun(w, j, j.Started.Add(-time.Minute)); v.Clock != "00:00" {
		t.Errorf("clock %s before the start", v.Clock)
	}
}

func TestModelDone(t *testing.T) {
	t.Parallel()
	w := english(t)
	rec := uitest.Restored()
	bad := uitest.Restored()
	bad.Checks[0].OK = false
	failed := &app.Error{Code: app.CodeTargetFull}
	for name, tt := range map[string]struct {
		job   app.Job
		undo  *app.RestoreRecord
		title string
		good  bool
		can   app.RestoreID
	}{
		"good":           {app.Job{Kind: app.JobRestore, State: app.JobDone, Restore: rec}, rec, "Your shop is back", true, "r1"},
		"another undo":   {app.Job{Kind: app.JobRestore, State: app.JobDone, Restore: rec}, &app.RestoreRecord{ID: "r0"}, "Your shop is back", true, ""},
		"check failed":   {app.Job{Kind: app.JobRestore, State: app.JobDone, Restore: bad}, bad, "The restore didn't succeed", false, "r1"},
		"failed":         {app.Job{Kind: app.JobRestore, State: app.JobFailed, Error: failed}, nil, "The restore didn't succeed", false, ""},
		"failed unsaid":  {app.Job{Kind: app.JobRestore, State: app.JobFailed}, nil, "The restore didn't succeed", false, ""},
		"stopped":        {app.Job{Kind: app.JobRestore, State: app.JobCanceled, Error: &app.Error{Code: app.CodeCanceled}}, nil, "The restore was stopped", false, ""},
		"drill failed":   {app.Job{Kind: app.JobDrill, State: app.JobDone, Drills: []app.DrillResult{{Source: "Kassan"}}}, nil, "The drill failed", false, ""},
		"drill was good": {app.Job{Kind: app.JobDrill, State: app.JobDone, Drills: []app.DrillResult{{Source: "Kassan", OK: true}}}, nil, "The drill went well", true, ""},
	} {
		v := modelDone(w, tt.job, tt.undo, uitest.Now())
		if v.Title != tt.title || v.Good != tt.good || v.Undo != tt.can {
			t.Errorf("%s: %+v", name, v)
		}
		if !v.Good && name != "stopped" && v.Problem == nil {
			t.Errorf("%s: nothing explains it", name)
		}
	}
}

func TestBesideName(t *testing.T) {
	t.Parallel()
	at := time.Date(2026, 11, 22, 14, 30, 0, 0, time.Local)
	if got := besideName("butik", at); got != "butik_kvart_2026_11_22" {
		t.Errorf("%q", got)
	}
	got := besideName(strings.Repeat("å", 40), at)
	if len(got) > mostName || !utf8.ValidString(got) || !strings.HasSuffix(got, "å_kvart_2026_11_22") {
		t.Errorf("%q has %d bytes", got, len(got))
	}
}

func TestNameTrouble(t *testing.T) {
	t.Parallel()
	w := english(t)
	for name, tt := range map[string]struct {
		err  error
		want string
	}{
		"taken":          {&app.Error{Code: app.CodeTargetExists}, "already a database called x"},
		"no name":        {app.Errorf(app.CodeUsage, "plan", "bad").With("field", "to"), "can't take x"},
		"something else": {&app.Error{Code: app.CodeStorageGone}, ""},
		"a path":         {app.Errorf(app.CodeUsage, "plan", "only to a folder").With("path", "a.sql"), ""},
		"nothing":        {nil, ""},
	} {
		if got := nameTrouble(w, tt.err, "x"); !strings.Contains(got, tt.want) || (got == "") != (tt.want == "") {
			t.Errorf("%s: %q", name, got)
		}
	}
}

func TestModelPlan_besideAndWarnings(t *testing.T) {
	t.Parallel()
	w := english(t)
	r := app.RestoreRequest{Sources: []string{"Webbutiken"}, Target: app.Target{Database: "x"}}
	p := uitest.Plan(uitest.WithDatabase(), r)
	if v := modelPlan(w, r, p, uitest.Now(), nobody); v.Button != "Restore beside it" || v.Undo != w.T("recover.plan.beside") {
		t.Errorf("%+v", v)
	}
	p.Sources[0].Plan.Blockers = []*app.Error{{Code: app.CodeTargetExists}, {Code: app.CodeSourceRight}}
	p.Sources[0].Plan.Warnings = []*app.Error{{Code: app.CodeTargetOpen}}
	v := modelPlan(w, r, p, uitest.Now(), nobody)
	if len(v.Blockers) != 1 || len(v.Warnings) != 1 || v.Button != "Go on anyway" {
		t.Errorf("%+v", v)
	}
	r.Target = app.Target{}
	if v := modelPlan(w, r, p, uitest.Now(), nobody); len(v.Blockers) != 2 {
		t.Errorf("a blocker is not told: %+v", v.Blockers)
	}
}

func TestModelDone_saysWhereItWent(t *testing.T) {
	t.Parallel()
	w := english(t)
	j := app.Job{Kind: app.JobRestore, State: app.JobDone, Restore: uitest.RestoredBeside()}
	v := modelDone(w, j, nil, uitest.Now())
	if v.Title != "It is restored, beside what you have" || len(v.Places) != 1 || v.Places[0].Where != "butik_kvart_2026_11_19 (127.0.0.1:3306)" || v.After == "" {
		t.Errorf("%+v", v)
	}
	j.Restore.Target = app.Target{Dir: "/tmp/x"}
	if v = modelDone(w, j, nil, uitest.Now()); v.Title != "It is restored to a folder" {
		t.Errorf("%+v", v)
	}
	j.Restore = uitest.Restored()
	if v = modelDone(w, j, nil, uitest.Now()); v.Title != "Your shop is back" || len(v.Places) != 1 || v.After != "" {
		t.Errorf("%+v", v)
	}
	j.State = app.JobFailed
	if v = modelDone(w, j, nil, uitest.Now()); len(v.Places) != 0 {
		t.Errorf("a restore that failed went somewhere: %+v", v.Places)
	}
}

// nobody's user can be given a right.
func nobody(string) bool { return false }

// TestRowsOfChecks: what failed stands first, all is told in the owner's language,
// and what was noted in English is only for whoever helps.
func TestRowsOfChecks(t *testing.T) {
	t.Parallel()
	missing := app.Check{Source: "Kassan", Code: "rows", Detail: "1 tables, 499 rows; kvitto: 499 rows, 500 expected", Counted: app.Counted{Tables: 1, Rows: 499}}
	missing.See(app.RowsOff("kvitto", 499, 500))
	differ := app.Check{Source: "Webben", Code: "records", Detail: "products: 3 differ, the first products/1/12.json in price"}
	differ.See(app.Seen{Code: app.SeenRecordsDiffer, Kind: "products", Count: 3, Of: 400, Names: []string{"Espresso"}, More: 2})
	checks := []app.Check{
		{Source: "Kassan", Code: "opens", OK: true, Detail: "MariaDB 10.11"},
		{Source: "Kassan", Code: "integrity", OK: true, Detail: "4 tables", Counted: app.Counted{Tables: 4}},
		missing, differ,
		{Source: "Lager", Code: "files", Detail: "lager.db differs"}, // of an earlier program
	}
	for lang, want := range map[string]string{
		"en": `All the rows are there: Kassan|1 row is missing, in kvitto.|Failed
The records are as in the backup: Webben|Products: 3 of 400 differ from the backup: Espresso and 2 more.|Failed
All the files are there: Lager|It isn't as in the backup.|Failed
The database opens: Kassan|It was looked at, and nothing wrong was found.|OK
The database is whole: Kassan|4 tables|OK`,
		"sv": `Alla rader finns på plats: Kassan|1 rad saknas, i kvitto.|Underkänd
Posterna är som i säkerhetskopian: Webben|Varor: 3 av 400 skiljer sig från säkerhetskopian: Espresso och 2 till.|Underkänd
Alla filer finns på plats: Lager|Det är inte som i säkerhetskopian.|Underkänd
Databasen går att öppna: Kassan|Det är granskat, och inget fel hittades.|OK
Databasen är hel: Kassan|4 tabeller|OK`,
	} {
		w, err := assets.NewWords(lang)
		if err != nil {
			t.Fatal(err)
		}
		var got []string
		for _, r := range rowsOfChecks(w, checks) {
			got = append(got, r.Words+"|"+strings.Join(r.Said, "|")+"|"+r.State)
			if r.Bad != (r.Tone == widgets.ToneDanger) {
				t.Errorf("%s has the tone %v", r.Words, r.Tone)
			}
		}
		if text := strings.Join(got, "\n"); text != want {
			t.Errorf("%s:\n%s\nwant\n%s", lang, text, want)
		}
	}
	const noted = `FAILED: Kassan: rows: 1 tables, 499 rows; kvitto: 499 rows, 500 expected
FAILED: Webben: records: products: 3 differ, the first products/1/12.json in price
FAILED: Lager: files: lager.db differs
ok: Kassan: opens: MariaDB 10.11
ok: Kassan: integrity: 4 tables`
	if got := helpText(checks); got != noted {
		t.Errorf("noted\n%s", got)
	}
	if got := helpText([]app.Check{{Code: "rows", OK: true}}); got != "" {
		t.Errorf("nothing was noted, and is shown as %q", got)
	}
}
