package agent

import (
	"context"
	"strings"
	"sync"
	"testing"

	"kvart/app"
)

// fakeServer is a connector of databases on servers, named by the setting
// "path", whose users it keeps. Aliases name the same server.
type fakeServer struct {
	*fakeShop
	mu      sync.Mutex
	users   map[string]string // server/user → password
	may     map[string]bool   // server/user → may put things back
	failing error             // what making a user fails with
	gone    error             // what a check fails with once it is let in
}

var _ app.Granter = (*fakeServer)(nil)

func (f *fakeServer) Spec() app.KindSpec {
	spec := f.fakeShop.Spec()
	spec.Kind, spec.Users, spec.Database = "server", true, true
	spec.Fields = append(spec.Fields, app.Field{Key: "user", Type: app.FieldText, Required: true}, app.Field{Key: "port", Type: app.FieldNumber, Default: "1"})
	return spec
}

// place returns the server's real name and the user at it.
func place(a app.Access) string {
	return strings.TrimSuffix(a.Source.Settings["path"], "-alias") + "/" + a.Source.Settings["user"]
}

func (f *fakeServer) Check(_ context.Context, a app.Access) (app.SourceInfo, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if a.Source.Settings["port"] != "1" {
		return app.SourceInfo{}, app.Errorf(app.CodeInternal, "check", "no default port")
	}
	if word, ok := f.users[place(a)]; !ok || word != a.Secrets["password"].Reveal() {
		return app.SourceInfo{}, app.Errorf(app.CodeSourceDenied, "check", "not so")
	}
	return app.SourceInfo{Files: 7}, f.gone
}

func (f *fakeServer) Rights(ctx context.Context, a app.Access) (app.Rights, error) {
	_, err := f.Check(ctx, a)
	return app.Rights{User: a.Source.Settings["user"]}, err
}

func (f *fakeServer) MakeUser(ctx context.Context, admin app.Access, password app.Secret, restoring bool) error {
	if _, err := f.Check(ctx, admin); app.CodeOf(err) == app.CodeSourceDenied {
		return err
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.failing != nil {
		return f.failing
	}
	admin.Source.Settings["user"] = app.BackupUser
	f.users[place(admin)], f.may[place(admin)] = password.Reveal(), restoring
	return nil
}

// kindsWithServer knows both fakes.
type kindsWithServer struct {
	kinds
	server *fakeServer
}

func (k kindsWithServer) Connector(kind app.Kind) (app.Connector, error) {
	if kind == "server" {
		return k.server, nil
	}
	return k.kinds.Connector(kind)
}

func (k kindsWithServer) Specs() []app.KindSpec {
	return append(k.kinds.Specs(), k.server.Spec())
}

func newServerTest(t *testing.T) (*shopTest, *fakeServer) {
	s := newShopTest(t)
	f := &fakeServer{fakeShop: s.shop, users: map[string]string{"a/root": "topp", "b/root": "bas"}, may: map[string]bool{}}
	s.Connectors = kindsWithServer{kinds{s.shop}, f}
	return s, f
}

func byAdmin(name, path, word string) app.AddSourceRequest {
	return app.AddSourceRequest{
		Kind: "server", Name: name, Settings: map[string]string{"path": path, "user": "somebody"}, Admin: "root",
		Secrets: app.Secrets{app.AdminPasswordKey: app.NewSecret(word)},
	}
}

func TestAddSource_makesItsUserAndForgetsTheAdministrator(t *testing.T) {
	t.Parallel()
	s, f := newServerTest(t)
	r := byAdmin("Kassa A", "a", "topp")
	src, err := s.AddSource(t.Context(), r)
	if err != nil || src.Settings["user"] != app.BackupUser {
		t.Fatalf("%+v, %v", src, err)
	}
	if r.Settings["user"] != "somebody" || len(r.Secrets) != 1 {
		t.Errorf("the request was changed: %+v", r)
	}
	if _, err := s.CheckSource(t.Context(), "Kassa A"); err != nil {
		t.Error(err)
	}
	word := f.users["a/kvart_backup"]
	if !strings.ContainsAny(word, "abcdefghijklmnopqrstuvwxyz") || !strings.ContainsAny(word, "ABCDEFGHIJKLMNOPQRSTUVWXYZ") || len(word) < 40 {
		t.Errorf("password %q", word)
	}
	for key, secret := range s.secrets.m {
		if secret.Reveal() == "topp" || strings.Contains(key, app.AdminPasswordKey) {
			t.Errorf("the administrator's password is kept as %s", key)
		}
	}
	if got, err := s.Rights(t.Context(), app.RightsRequest{Source: "Kassa A"}); err != nil || got.User != app.BackupUser {
		t.Errorf("%+v, %v", got, err)
	}
	if got, err := s.Rights(t.Context(), app.RightsRequest{Kind: "server", Settings: map[string]string{"path": "a", "user": "root", "port": ""}, Secrets: app.Secrets{"password": app.NewSecret("topp")}}); err != nil || got.User != "root" {
		t.Errorf("%+v, %v", got, err)
	}
}

// The user of a second source on a server is the first one's, and has another
// password afterwards: the first must not be locked out.
func TestAddSource_tellsOthersOnTheSameServer(t *testing.T) {
	t.Parallel()
	s, f := newServerTest(t)
	for _, r := range []app.AddSourceRequest{byAdmin("A1", "a", "topp"), byAdmin("B", "b", "bas"), byAdmin("A2", "a-alias", "topp")} {
		if _, err := s.AddSource(t.Context(), r); err != nil {
			t.Fatal(err)
		}
	}
	for _, name := range []string{"A1", "A2", "B"} {
		if _, err := s.CheckSource(t.Context(), name); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
	if f.users["a/kvart_backup"] == f.users["b/kvart_backup"] {
		t.Error("two servers know the same password")
	}
	src, err := s.AddSource(t.Context(), app.AddSourceRequest{Kind: "server", Name: "By root", Settings: map[string]string{"path": "b", "user": "root"}, Secrets: app.Secrets{"password": app.NewSecret("bas")}})
	if err != nil {
		t.Fatal(err)
	}
	changed, err := s.ChangeSource(t.Context(), app.ChangeSourceRequest{Source: src.Name, Admin: "root", Secrets: app.Secrets{app.AdminPasswordKey: app.NewSecret("bas")}})
	if err != nil || changed.Settings["user"] != app.BackupUser || changed.Settings["path"] != "b" {
		t.Fatalf("%+v, %v", changed, err)
	}
	for _, name := range []string{"B", "By root"} {
		if _, err := s.CheckSource(t.Context(), name); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// On the bad day the source's own user gets the right to put things back, and
// afterwards loses it.
func TestChangeSource_restoring(t *testing.T) {
	t.Parallel()
	s, f := newServerTest(t)
	if _, err := s.AddSource(t.Context(), byAdmin("Kassa A", "a", "topp")); err != nil {
		t.Fatal(err)
	}
	change := func(admin string, restoring bool) error {
		r := app.ChangeSourceRequest{Source: "Kassa A", Admin: admin, Restoring: restoring}
		if admin != "" {
			r.Secrets = app.Secrets{app.AdminPasswordKey: app.NewSecret("topp")}
		}
		_, err := s.ChangeSource(t.Context(), r)
		return err
	}
	wantCode(t, change("", true), app.CodeUsage)
	for _, restoring := range []bool{false, true, false} {
		if err := change("root", restoring); err != nil || f.may["a/kvart_backup"] != restoring {
			t.Errorf("restoring %v: %v, %v", restoring, f.may, err)
		}
		if _, err := s.CheckSource(t.Context(), "Kassa A"); err != nil {
			t.Error(err)
		}
	}
	// The database may be gone: that is what it is for. Whatever else is wrong
	// with it, the guard knows the new password.
	f.gone = app.Errorf(app.CodeSourceGone, "check", "dropped")
	if err := change("root", true); err != nil {
		t.Error(err)
	}
	wantCode(t, change("root", false), app.CodeSourceGone)
	f.gone = app.Errorf(app.CodeSourceDamaged, "check", "broken")
	wantCode(t, change("root", true), app.CodeSourceDamaged)
	f.gone = nil
	if _, err := s.CheckSource(t.Context(), "Kassa A"); err != nil {
		t.Errorf("locked out: %v", err)
	}
}

func TestTrySource_storesNothing(t *testing.T) {
	t.Parallel()
	s, f := newServerTest(t)
	before, secrets := len(s.status().Sources), len(s.secrets.m)
	try := byAdmin("", "a", "topp")
	if info, err := s.TrySource(t.Context(), try); err != nil || info.Files != 7 {
		t.Errorf("as the administrator: %+v, %v", info, err)
	}
	if _, ok := f.users["a/kvart_backup"]; ok {
		t.Error("a user was made")
	}
	try.Secrets = app.Secrets{app.AdminPasswordKey: app.NewSecret("fel")}
	_, err := s.TrySource(t.Context(), try)
	wantCode(t, err, app.CodeSourceDenied)
	plain := app.AddSourceRequest{Kind: "server", Settings: map[string]string{"path": "b", "user": "root", "port": ""}, Secrets: app.Secrets{"password": app.NewSecret("bas")}}
	if _, err := s.TrySource(t.Context(), plain); err != nil {
		t.Error(err)
	}
	plain.Settings = map[string]string{"path": "b"}
	_, err = s.TrySource(t.Context(), plain)
	wantCode(t, err, app.CodeUsage)
	_, err = s.TrySource(t.Context(), app.AddSourceRequest{Kind: "nothing"})
	wantCode(t, err, app.CodeSourceKind)
	if len(s.status().Sources) != before || len(s.secrets.m) != secrets {
		t.Error("something was stored")
	}
}

func TestAddSource_withoutItsUserIsNotAdded(t *testing.T) {
	t.Parallel()
	s, f := newServerTest(t)
	_, err := s.AddSource(t.Context(), byAdmin("A", "a", "wrong"))
	wantCode(t, err, app.CodeSourceDenied)
	f.failing = app.Errorf(app.CodeSourceRight, "make user", "no")
	_, err = s.AddSource(t.Context(), byAdmin("A", "a", "topp"))
	wantCode(t, err, app.CodeSourceRight)
	fake := byAdmin("A", "a", "topp")
	fake.Kind = "fake"
	_, err = s.AddSource(t.Context(), fake)
	wantCode(t, err, app.CodeUsage)
	stray := byAdmin("A", "a", "topp")
	stray.Admin = ""
	_, err = s.AddSource(t.Context(), stray)
	wantCode(t, err, app.CodeUsage)
	_, err = s.Rights(t.Context(), app.RightsRequest{Source: "Kassan"})
	wantCode(t, err, app.CodeUsage)
	if st := s.status(); len(st.Sources) != 2 {
		t.Errorf("sources %+v", st.Sources)
	}
}

// A server that restarts is back at the next quarter; a password that was
// changed is not.
func TestNotices_waitForWhatPasses(t *testing.T) {
	t.Parallel()
	for code, want := range map[app.Code]bool{
		app.CodeSourceOffline: false, app.CodeTunnelOffline: false, app.CodeSourceBusy: false, app.CodeSourceAltered: false,
		app.CodeSourceDenied: true, app.CodeTunnelDenied: true, app.CodeSourceGone: true, app.CodeSourceRight: true, app.CodeTempFull: true, app.CodeSourceTooLarge: true,
	} {
		s := newShopTest(t)
		s.backup()
		s.shop.failCapture = app.Errorf(code, "capture", "no")
		s.backup()
		s.wantVerdict(app.VerdictFailed)
		if got := strings.Contains(strings.Join(s.notices.log, " "), "+failed"); got != want {
			t.Errorf("%s: told %v", code, got)
		}
		s.clock.set(lateAfter(app.Schedule{}) + app.QuarterLength)
		s.backup()
		if !strings.Contains(strings.Join(s.notices.log, " "), "+failed") {
			t.Errorf("%s: never told", code)
		}
	}
}
