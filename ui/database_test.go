package ui

import (
	"slices"
	"testing"

	"fyne.io/fyne/v2"

	"kvart/app"
	"kvart/ui/screen"
	"kvart/ui/uitest"
)

// newServerRig is a window onto a guard that knows database servers.
func newServerRig(t *testing.T, s app.Status) *rig {
	t.Helper()
	r := newRig(t, s)
	r.svc.FormsFunc = uitest.DatabaseForms
	return r
}

const mysqlTitle = "Database server (MySQL, MariaDB)"

// fine lets only the backup user have no more rights than it needs.
func fine(q app.RightsRequest) (app.Rights, error) {
	if q.Settings["user"] == "kassa" {
		return uitest.LessRights(), nil
	}
	return app.Rights{User: "root@localhost", Excess: []string{"DROP", "SUPER"}, Statements: []string{"CREATE USER kvart;", "GRANT SELECT;"}, Restoring: []string{"GRANT ALL;"}}, nil
}

// addServer goes to the form of a database server, filled in.
func (r *rig) addServer(user, password string) {
	r.t.Helper()
	r.press("Sources")
	r.press("Add source")
	r.press(mysqlTitle)
	for i, v := range []string{"butik", user, password} {
		uitest.Write(r.t, r.c, 2+i, v)
	}
}

func TestSources_databaseIsProvedBeforeItIsAdded(t *testing.T) {
	r := newServerRig(t, uitest.Safe())
	r.press("Sources")
	r.press("Add source")
	r.press(mysqlTitle)
	r.shoot("db-form")
	if uitest.Enabled(r.c, "Test connection") || uitest.Enabled(r.c, "Add source") {
		t.Error("an empty form can be tested")
	}
	r.press("Back")
	var asked app.RightsRequest
	r.svc.RightsFunc = func(q app.RightsRequest) (app.Rights, error) {
		asked = q
		return app.Rights{}, app.Errorf(app.CodeSourceDenied, "rights", "no").With("user", "kassa")
	}
	r.addServer("kassa", "hemligt")
	if got := uitest.Fields(r.c)[5].Text; got != "butik" {
		t.Errorf("the name suggested is %q", got)
	}
	r.press("Test connection")
	if asked.Kind != "mysql" || asked.Settings["user"] != "kassa" || asked.Settings["port"] != "3306" || asked.Secrets["password"].Reveal() != "hemligt" {
		t.Errorf("tested %+v", asked)
	}
	r.shoot("db-denied")
	var added []app.AddSourceRequest
	r.svc.AddFunc = func(q app.AddSourceRequest) error { added = append(added, q); return nil }
	r.press("Add source")
	if len(added) != 0 {
		t.Fatal("added although the server says no")
	}
	r.svc.RightsFunc = fine
	r.press("Test connection")
	r.sees("may read and nothing else")
	r.shoot("db-fine")
	r.press("Add source")
	if len(added) != 1 || added[0].Name != "butik" || added[0].Admin != "" || added[0].Secrets["password"].Reveal() != "hemligt" {
		t.Errorf("added %+v", added)
	}
	r.sees("What Kvart protects")
}

func TestSources_tooManyRightsArePointedOutOnce(t *testing.T) {
	r := newServerRig(t, uitest.Safe())
	r.svc.RightsFunc = fine
	var added []app.AddSourceRequest
	r.svc.AddFunc = func(q app.AddSourceRequest) error { added = append(added, q); return nil }
	r.addServer("root", "hemligt")
	r.press("Add source")
	r.sees("This user may do more than backing up needs", "root@localhost", "DROP, SUPER")
	if len(added) != 0 {
		t.Fatal("added before the owner saw it")
	}
	r.shoot("db-excess")
	r.press("Show how to make one that may only read")
	r.sees("CREATE USER kvart;\nGRANT SELECT;")
	r.lacks("GRANT ALL")
	r.press("Also let it put things back on the server")
	r.sees("GRANT SELECT;\nGRANT ALL;")
	r.shoot("db-statements")
	r.press("Copy")
	if got := r.app.Clipboard().Content(); got != "CREATE USER kvart;\nGRANT SELECT;\nGRANT ALL;" {
		t.Errorf("copied %q", got)
	}
	r.press("Add source")
	if len(added) != 1 || added[0].Settings["user"] != "root" {
		t.Errorf("added %+v", added)
	}
}

func TestSources_kvartsOwnUser(t *testing.T) {
	r := newServerRig(t, uitest.Safe())
	var asked []app.RightsRequest
	r.svc.RightsFunc = func(q app.RightsRequest) (app.Rights, error) { asked = append(asked, q); return fine(q) }
	var added []app.AddSourceRequest
	r.svc.AddFunc = func(q app.AddSourceRequest) error { added = append(added, q); return nil }
	r.press("Sources")
	r.press("Add source")
	r.press(mysqlTitle)
	uitest.Write(t, r.c, 2, "butik")
	r.press("Let Kvart make its own user…")
	if uitest.Enabled(r.c, "Make the user and go on") || uitest.Enabled(r.c, "Add source") {
		t.Error("a user can be made by nobody")
	}
	n := len(uitest.Fields(r.c))
	uitest.Write(t, r.c, n-2, "root")
	uitest.Write(t, r.c, n-1, "rothemligt")
	r.shoot("db-own")
	r.press("Make the user and go on")
	if len(asked) != 1 || asked[0].Settings["user"] != "root" || asked[0].Secrets["password"].Reveal() != "rothemligt" {
		t.Errorf("proved %+v", asked)
	}
	if len(added) != 1 || added[0].Admin != "root" || added[0].Secrets[app.AdminPasswordKey].Reveal() != "rothemligt" || len(added[0].Secrets) != 1 {
		t.Errorf("added %+v", added)
	}
}

func TestSources_adminThatIsRefused(t *testing.T) {
	r := newServerRig(t, uitest.Safe())
	r.svc.RightsFunc = func(app.RightsRequest) (app.Rights, error) {
		return app.Rights{}, app.Errorf(app.CodeSourceDenied, "rights", "no").With("user", "root")
	}
	r.addServer("root", "fel")
	r.press("Let Kvart make its own user…")
	r.press("Make the user and go on")
	if r.svc.Called("AddSource") != 0 {
		t.Error("added with a password that is wrong")
	}
	r.sees("Administrator's password")
	uitest.Key(r.c, fyne.KeyEscape)
	r.lacks("Administrator's password")
	r.sees("Add source")
}

func TestSources_strangeTunnelIsConfirmed(t *testing.T) {
	r := newServerRig(t, uitest.Safe())
	r.svc.RightsFunc = func(q app.RightsRequest) (app.Rights, error) {
		if q.Settings["ssh_host_key"] == "" {
			return app.Rights{}, app.Errorf(app.CodeHostKeyUnknown, "tunnel", "first").With("fingerprint", "SHA256:9b4u").With("host_key", "ssh-ed25519 AAAA")
		}
		return uitest.LessRights(), nil
	}
	r.addServer("kassa", "hemligt")
	r.press("More settings")
	r.sees("By way of an SSH server")
	r.shoot("db-more")
	r.press("Add source")
	r.sees("Is this your server?", "SHA256:9b4u")
	r.shoot("db-stranger")
	if r.svc.Called("AddSource") != 0 {
		t.Fatal("a stranger is trusted")
	}
	got := ""
	r.svc.AddFunc = func(q app.AddSourceRequest) error { got = q.Settings["ssh_host_key"]; return nil }
	r.press("Yes, it is my server")
	if got != "ssh-ed25519 AAAA" {
		t.Errorf("pinned %q", got)
	}
}

func TestSources_partialFindOpensTheForm(t *testing.T) {
	r := newServerRig(t, uitest.Safe())
	r.svc.DiscoverFunc = func() ([]app.Found, error) { return []app.Found{uitest.FoundDatabase()}, nil }
	r.svc.RightsFunc = fine
	r.press("Sources")
	r.press("Add source")
	r.sees("127.0.0.1:3306")
	r.press("Add")
	if r.svc.Called("AddSource") != 0 {
		t.Fatal("added without a password")
	}
	r.sees("127.0.0.1", "MariaDB")
	for i, v := range []string{"lager", "kassa", "hemligt"} {
		uitest.Write(t, r.c, 2+i, v)
	}
	name := ""
	r.svc.AddFunc = func(q app.AddSourceRequest) error { name = q.Name; return nil }
	uitest.Key(r.c, fyne.KeyReturn)
	if name != "MariaDB" {
		t.Errorf("added as %q", name)
	}
}

func TestSources_checkTellsWhatIsCaptured(t *testing.T) {
	r := newServerRig(t, uitest.WithDatabase())
	r.svc.CheckFunc = func(string) (app.SourceInfo, error) { return uitest.CheckedDatabase(), nil }
	r.press("Sources")
	r.sees("butik on 127.0.0.1:3306")
	r.press("Check connection")
	r.sees("Works: 96 MB can be read", "MariaDB 10.11.6", "older kind (MyISAM)", "wp_old_log, wp_search", "This user may do more than backing up needs")
	r.lacks("⟦")
	r.shoot("db-checked")
	r.press("See what to do")
	r.sees("Change Webbutiken", "This user may do more than backing up needs")
	r.shoot("db-edit")
	var sent []app.ChangeSourceRequest
	r.svc.ChangeFunc = func(q app.ChangeSourceRequest) error { sent = append(sent, q); return nil }
	r.press("Let Kvart make its own user…")
	n := len(uitest.Fields(r.c))
	uitest.Write(t, r.c, n-2, "root")
	uitest.Write(t, r.c, n-1, "rothemligt")
	r.press("Make the user and go on")
	if len(sent) != 1 || sent[0].Admin != "root" || len(sent[0].Settings) != 0 || sent[0].Secrets[app.AdminPasswordKey].Reveal() != "rothemligt" {
		t.Errorf("sent %+v", sent)
	}
	r.sees("What Kvart protects")
}

func TestSources_rightsOfAServerThatIsAway(t *testing.T) {
	r := newServerRig(t, uitest.WithDatabase())
	r.svc.RightsFunc = func(app.RightsRequest) (app.Rights, error) {
		return app.Rights{}, app.Errorf(app.CodeSourceOffline, "rights", "away").With("where", "127.0.0.1:3306")
	}
	r.press("Sources")
	r.press("Check connection")
	r.sees("Works:")
	r.press("Change…")
	r.sees("Try again", "Check and save")
	r.svc.RightsFunc = nil
	r.press("Try again")
	r.sees("This user may do more than backing up needs")
}

func TestSources_changedTunnelIsConfirmed(t *testing.T) {
	r := newServerRig(t, uitest.WithDatabase())
	r.press("Sources")
	r.press("Change…")
	pinned := ""
	r.svc.ChangeFunc = func(q app.ChangeSourceRequest) error {
		if pinned = q.Settings["ssh_host_key"]; pinned == "" {
			return app.Errorf(app.CodeHostKeyUnknown, "tunnel", "first").With("fingerprint", "SHA256:9b4u").With("host_key", "ssh-ed25519 AAAA")
		}
		return nil
	}
	r.press("Check and save")
	r.sees("SHA256:9b4u")
	r.press("Yes, it is my server")
	if pinned != "ssh-ed25519 AAAA" {
		t.Errorf("pinned %q", pinned)
	}
}

func TestSetup_asksForWhatWasNotFound(t *testing.T) {
	r := newServerRig(t, uitest.NoSources())
	r.svc.DiscoverFunc = func() ([]app.Found, error) { return append(uitest.Found(), uitest.FoundDatabase()), nil }
	r.svc.RightsFunc = fine
	r.press("Choose what to protect")
	r.sees("MariaDB", "Needs a password", "2 Connect")
	r.shoot("setup-partial")
	r.press("Continue")
	r.sees("Connect MariaDB")
	if uitest.Enabled(r.c, "Continue") {
		t.Error("it goes on without a password")
	}
	for i, v := range []string{"lager", "root", "hemligt"} {
		uitest.Write(t, r.c, 2+i, v)
	}
	r.shoot("setup-connect")
	r.press("Continue")
	r.sees("This user may do more than backing up needs")
	r.press("Back")
	r.sees("Needs a password")
	r.press("Fill in…")
	for i, v := range []string{"lager", "kassa", "hemligt"} {
		uitest.Write(t, r.c, 2+i, v)
	}
	added := map[string]app.AddSourceRequest{}
	r.svc.AddFunc = func(q app.AddSourceRequest) error { added[q.Name] = q; return nil }
	r.press("Continue")
	if got := added["MariaDB"]; len(added) != 3 || got.Settings["database"] != "lager" || got.Secrets["password"].Reveal() != "hemligt" {
		t.Errorf("added %+v", added)
	}
	r.sees("Your recovery kit")
}

func TestSetup_databaseOfOnesOwnWithItsOwnUser(t *testing.T) {
	r := newServerRig(t, uitest.Empty())
	r.svc.RightsFunc = fine
	r.press("Set up Kvart")
	r.press("MySQL, MariaDB")
	r.sees("Connect " + mysqlTitle)
	r.press("Back")
	r.lacks(mysqlTitle + " ·")
	r.press("MySQL, MariaDB")
	uitest.Write(t, r.c, 2, "butik")
	r.press("Let Kvart make its own user…")
	n := len(uitest.Fields(r.c))
	uitest.Write(t, r.c, n-2, "root")
	uitest.Write(t, r.c, n-1, "rothemligt")
	r.press("Make the user and go on")
	r.sees("Where should the backups live?", "2 Connect")
	r.press("Back")
	r.sees("butik", "Filled in")
	r.shoot("setup-answered")
	r.press("Continue")
	r.press("Disk or network folder")
	r.press("Choose…")
	r.press("Test connection")
	var got app.AddSourceRequest
	r.svc.AddFunc = func(q app.AddSourceRequest) error {
		if q.Kind == "mysql" {
			got = q
		}
		return nil
	}
	r.make()
	if got.Name != "butik" || got.Admin != "root" || got.Secrets[app.AdminPasswordKey].Reveal() != "rothemligt" {
		t.Errorf("added %+v", got)
	}
}

func TestSetup_strangerAtTheEnd(t *testing.T) {
	r := newServerRig(t, uitest.NoSources())
	r.svc.DiscoverFunc = func() ([]app.Found, error) { return append(uitest.Found(), uitest.FoundDatabase()), nil }
	r.svc.FormsFunc = func() app.Forms { // one that can't be proved before it is added
		f := uitest.DatabaseForms()
		f.Sources[2].Users = false
		return f
	}
	var added []string
	r.svc.AddFunc = func(q app.AddSourceRequest) error {
		if q.Kind == "mysql" && q.Settings["ssh_host_key"] == "" {
			return app.Errorf(app.CodeHostKeyUnknown, "tunnel", "first").With("fingerprint", "SHA256:9b4u").With("host_key", "ssh-ed25519 AAAA")
		}
		added = append(added, q.Name)
		return nil
	}
	r.press("Choose what to protect")
	r.press("Continue")
	for i, v := range []string{"lager", "kassa", "hemligt"} {
		uitest.Write(t, r.c, 2+i, v)
	}
	r.press("Continue")
	r.sees("Is this your server?", "SHA256:9b4u")
	r.press("Yes, it is my server")
	r.sees("Your recovery kit")
	if !slices.Equal(added, []string{"kassa.db", "lager.db", "MariaDB"}) {
		t.Errorf("added %q", added)
	}
}

func TestSetup_whatIsLeftOutIsNotAdded(t *testing.T) {
	r := newServerRig(t, uitest.NoSources())
	r.svc.DiscoverFunc = func() ([]app.Found, error) { return append(uitest.Found(), uitest.FoundDatabase()), nil }
	var added []string
	r.svc.AddFunc = func(q app.AddSourceRequest) error { added = append(added, q.Name); return nil }
	r.press("Choose what to protect")
	r.press("Continue")
	r.press("Leave it out")
	if !slices.Equal(added, []string{"kassa.db", "lager.db"}) {
		t.Errorf("added %q", added)
	}
}

func TestRecover_databaseBesideTheOld(t *testing.T) {
	r := newServerRig(t, uitest.WithDatabase())
	var asked app.RestoreRequest
	r.svc.PlanFunc = func(q app.RestoreRequest) (app.RestorePlan, error) {
		asked = q
		p := uitest.Plan(r.svc.Current(), q)
		switch q.Target.Database {
		case "butik":
			return p, app.Errorf(app.CodeUsage, "plan", "itself").With("field", "to")
		case "lager":
			p.Sources[0].Plan.Blockers = []*app.Error{{Code: app.CodeTargetExists}}
		}
		return p, nil
	}
	r.press("Recover")
	r.press("Bring just one source back…")
	r.press("Webbutiken")
	r.sees("Where to?")
	r.shoot("db-where")
	r.press("Beside it, under a new name")
	if asked.Target.Database != "butik_kvart_2026_11_19" {
		t.Errorf("suggests %+v", asked.Target)
	}
	r.sees("butik_kvart_2026_11_19", "Nothing you have now is touched")
	r.shoot("db-beside")
	uitest.Write(t, r.c, 0, "lager")
	if uitest.Enabled(r.c, "Restore beside it") {
		t.Error("a restore to a name that was not looked at can be started")
	}
	uitest.Key(r.c, fyne.KeyReturn)
	if r.svc.Called("StartRestore") != 0 {
		t.Fatal("Enter starts it")
	}
	r.press("Use this name")
	r.sees("There is already a database called lager")
	r.lacks("Choose an empty folder")
	r.shoot("db-exists")
	if uitest.Enabled(r.c, "Restore beside it") {
		t.Error("it can be started")
	}
	uitest.Write(t, r.c, 0, "butik")
	r.press("Use this name")
	r.sees("The server can't take butik")
	if uitest.Pressable(r.c, "Restore beside it", 0) != nil {
		t.Error("it can be started without a plan")
	}
	uitest.Write(t, r.c, 0, "butik_igar")
	r.press("Use this name")
	var got app.RestoreRequest
	r.svc.RestoreFunc = func(q app.RestoreRequest) (app.JobID, error) { got = q; return "restore-1", nil }
	r.svc.WaitFunc = func(app.JobID) (app.Job, error) { return done(*uitest.Restoring().Job, uitest.RestoredBeside()), nil }
	r.press("Restore beside it")
	if got.Target.Database != "butik_igar" {
		t.Errorf("restores %+v", got)
	}
	r.sees("It is restored, beside what you have", "Where it went", "butik_kvart_2026_11_19 (127.0.0.1:3306)", "Delete it on the server")
	r.lacks("Your shop is back", "Undo…")
	r.shoot("db-beside-done")
}

func TestRecover_databaseToAFolder(t *testing.T) {
	r := newServerRig(t, uitest.WithDatabase())
	r.show(screen.Place{Screen: screen.Recover, Source: "Webbutiken", Point: "Webbutiken-9", Paths: []string{"20-data/wp_posts.sql"}})
	r.press("To a folder")
	var got app.RestoreRequest
	r.svc.RestoreFunc = func(q app.RestoreRequest) (app.JobID, error) { got = q; return "restore-1", nil }
	r.sees("/media/backup/kvart", "Another folder…")
	r.shoot("db-folder")
	r.press("Export")
	if got.Target.Dir != "/media/backup/kvart" || got.Point != "Webbutiken-9" || len(got.Paths) != 1 {
		t.Errorf("restores %+v", got)
	}
}

func TestRecover_onlyDatabasesAreAskedWhereTo(t *testing.T) {
	r := newServerRig(t, uitest.WithDatabase())
	r.press("Recover")
	r.press("Bring just one source back…")
	r.press("Lager")
	r.lacks("Where to?")
}

func TestRecover_warningIsReadFirst(t *testing.T) {
	r := newServerRig(t, uitest.WithDatabase())
	open := true
	r.svc.PlanFunc = func(q app.RestoreRequest) (app.RestorePlan, error) {
		p := uitest.Plan(r.svc.Current(), q)
		if open {
			p.Sources[0].Plan.Warnings = []*app.Error{(&app.Error{Code: app.CodeTargetOpen}).With("programs", "php-fpm")}
		}
		return p, nil
	}
	r.show(screen.Place{Screen: screen.Recover, Source: "Webbutiken"})
	r.sees("php-fpm")
	r.shoot("db-open")
	uitest.Key(r.c, fyne.KeyReturn)
	if r.svc.Called("StartRestore") != 0 {
		t.Fatal("Enter goes past a warning")
	}
	if !uitest.Enabled(r.c, "Go on anyway") {
		t.Error("a warning stands in the way")
	}
	open = false
	r.press("Look again")
	r.lacks("php-fpm", "Go on anyway")
	if !uitest.Enabled(r.c, "Restore") {
		t.Error("it can't be started")
	}
	r.press("Recover")
	open = true
	r.press("Recover")
	r.sees("Go on anyway")
}

// TestDatabase_bothLanguages walks through every page about a database.
func TestDatabase_bothLanguages(t *testing.T) {
	for _, lang := range []string{"en", "sv"} {
		s := uitest.WithDatabase()
		s.Language = lang
		r := newServerRig(t, s)
		look := func(name string) {
			t.Helper()
			r.lacks("⟦", "<no value>", "{{")
			r.shoot("db-" + name + "-" + lang)
			if lang == "en" {
				return // the shorter words of the two
			}
			small := fyne.NewSize(683, 384)
			r.win.Resize(small)
			if least := r.win.Content().MinSize(); least.Width > small.Width || least.Height > small.Height {
				t.Errorf("%s at %v needs %v", name, small, least)
			}
			r.shoot("db-" + name + "-" + lang + "-narrow")
			r.win.Resize(fyne.NewSize(1120, 740))
		}
		key := func(k string) string { return r.words.T(k) }
		r.svc.CheckFunc = func(string) (app.SourceInfo, error) { return uitest.CheckedDatabase(), nil }
		r.press(key("nav.sources"))
		r.press(key("sources.check"))
		look("checked")
		r.press(key("sources.rights"))
		r.press(key("rights.show"))
		look("rights")
		r.press(key("rights.own"))
		look("own")
		r.press(key("confirm.no"))
		r.press(key("back"))
		r.press(key("sources.add"))
		r.press(key("source.mysql"))
		look("form")
		r.svc.RightsFunc = func(app.RightsRequest) (app.Rights, error) {
			return app.Rights{User: "kassa@localhost", Missing: []string{"SHOW VIEW", "TRIGGER"}, Excess: []string{"DROP"}, Statements: []string{"GRANT SHOW VIEW, TRIGGER ON `butik`.* TO 'kassa'@'localhost';"}}, nil
		}
		for i, v := range []string{"butik", "kassa", "hemligt"} {
			uitest.Write(t, r.c, 2+i, v)
		}
		r.press(key("access.test"))
		look("missing")
		r.press(key("form.more"))
		look("more")
		r.svc.PlanFunc = func(q app.RestoreRequest) (app.RestorePlan, error) {
			p := uitest.Plan(r.svc.Current(), q)
			if q.Target.Original() {
				p.Sources[0].Plan.Warnings = []*app.Error{(&app.Error{Code: app.CodeTargetOpen}).With("programs", "php-fpm, mysqldump")}
			} else if q.Target.Database != "" {
				p.Sources[0].Plan.Blockers = []*app.Error{{Code: app.CodeTargetExists}}
			}
			return p, nil
		}
		r.show(screen.Place{Screen: screen.Recover, Source: "Webbutiken"})
		look("open")
		r.press(key("recover.to.beside"))
		look("exists")
		r.press(key("recover.to.folder"))
		look("folder")
		r.svc.WaitFunc = func(app.JobID) (app.Job, error) { return done(*uitest.Restoring().Job, uitest.RestoredBeside()), nil }
		r.press(key("recover.button.export"))
		look("done")
		r.Close()
	}
}

func TestHome_refusedDatabaseLeadsToItsDetails(t *testing.T) {
	s := uitest.WithDatabase()
	e := (&app.Error{Code: app.CodeSourceRight}).With("right", "TRIGGER").With("statement", "GRANT TRIGGER ON butik.* TO kvart;").With("source", "Webbutiken")
	s.Verdict, s.Sources[0].State, s.Sources[0].Error = app.VerdictFailed, app.SourceFailed, e
	s.Problems = []app.Problemed{{Source: "Webbutiken", Error: e}}
	r := newServerRig(t, s)
	r.sees("GRANT TRIGGER ON butik.* TO kvart;")
	r.press("Copy")
	if got := r.app.Clipboard().Content(); got != "GRANT TRIGGER ON butik.* TO kvart;" {
		t.Errorf("copied %q", got)
	}
	r.sees("✓ Copied")
	r.shoot("db-right")
	r.press("Look at the details")
	r.sees("Change Webbutiken")
	r.press("Back")
	r.sees("GRANT TRIGGER ON butik.* TO kvart;")
}

// TestAccess_proofOfAnOlderAnswerDoesNotCount: what is typed while the server
// is asked is not proven by its answer.
func TestAccess_proofOfAnOlderAnswerDoesNotCount(t *testing.T) {
	r := newServerRig(t, uitest.Safe())
	r.addServer("kassa", "hemligt")
	r.svc.RightsFunc = func(app.RightsRequest) (app.Rights, error) {
		uitest.Write(t, r.c, 3, "root")
		return uitest.LessRights(), nil
	}
	r.press("Add source")
	if r.svc.Called("AddSource") != 0 {
		t.Error("added with a user that was not proven")
	}
	r.lacks("may read and nothing else")
}
