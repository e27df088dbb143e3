package sqlserver

import (
	"crypto/tls"
	"encoding/json"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"kvart/app"
	"kvart/connectors/connectortest"
	"kvart/connectors/sqlserver/tdstest"
)

// serverSide is the folder of the exchange as the server sees it: another path
// than ours, so that one taken for the other is found out.
const serverSide = `S:\Exchange`

// fakeDB is a database of the peer's.
type fakeDB struct {
	Name, State, Access, Owner, Created, Fork string
	ID                                        int64
	Files                                     []dataFile
	Tables                                    map[string][]string // rows by "schema.table"
	LSN, Writes, Open                         int64
	AutoClose, Delayed, TDE, Damaged          bool
	Orphans, Features                         []string
}

func (d *fakeDB) write(table string, rows ...string) {
	d.Tables[table] = append(d.Tables[table], rows...)
	d.LSN += 3
	d.Writes++
}

// content describes what a database holds.
func (d *fakeDB) content() string {
	b, err := json.Marshal(d.Tables)
	if err != nil {
		return err.Error()
	}
	return string(b)
}

// fakeLogin is who may do what.
type fakeLogin struct {
	password string
	admin    bool
	rights   []string
	roles    []string
}

// fakeSession is a program that has a database open.
type fakeSession struct{ db, program, host, user string }

// world is a SQL Server as far as the connector can tell: databases, their
// files, sessions and logins, and the statements that the connector sends, with
// the errors that Microsoft documents for them. A statement it doesn't know is
// an error, so that none goes out that nobody looked at.
type world struct {
	t      *testing.T
	server *tdstest.Server
	folder string

	mu       sync.Mutex
	dbs      map[string]*fakeDB // by name in lower case
	logins   map[string]*fakeLogin
	sessions map[int]*fakeSession
	version  string
	edition  string
	engine   int64
	windows  bool // takes no logins with passwords
	started  string
	lastID   int64
	users    map[int]string // who came in, by connection

	log       []string // every statement
	killAt    int      // the step at which the server is switched off, 0 for never
	after     bool     // the step is done first
	steps     int
	dead      bool
	eager     int                                    // how often a till takes the place for a single user
	strangers bool                                   // whoever restores a database is nobody inside it
	strict    bool                                   // reads only files that everybody may read
	meddle    func(sql string)                       // called before a statement, with the lock held
	refuse    func(sql string) []tdstest.Message     // instead of a statement
	answers   func(sql string, a *tdstest.Answer)    // changes an answer
	waiting   func(sql string, stop <-chan struct{}) // holds a statement up, without the lock
}

func newWorld(t *testing.T) *world {
	t.Helper()
	return startWorld(t, tdstest.Encrypts, nil)
}

func startWorld(t *testing.T, encryption tdstest.Encryption, cert *tls.Certificate) *world {
	t.Helper()
	w := &world{
		t: t, folder: t.TempDir(), dbs: map[string]*fakeDB{}, sessions: map[int]*fakeSession{}, users: map[int]string{}, version: "15.0.2000.5",
		edition: "Standard Edition (64-bit)", engine: 2, started: "2026-01-01T00:00:00", lastID: 4,
		logins: map[string]*fakeLogin{
			"kvart":  {password: "hem/lig't", rights: backupRights()},
			"sa":     {password: "sa-secret", admin: true},
			"shop":   {password: "shop-secret"},
			"keeper": {password: "keeper-secret", rights: append(backupRights(), "ALTER ANY DATABASE", "ALTER ANY CONNECTION", "IMPERSONATE shop")},
		},
	}
	w.server = tdstest.Start(t, w, encryption, cert)
	d := w.add("shop", "shop")
	d.Tables["dbo.sale"] = []string{"1 kaffe", "2 bulle"}
	d.Tables["dbo.customer"] = []string{"Åsa"}
	d.Tables["web.cart"] = []string{}
	return w
}

func backupRights() []string {
	return []string{"BACKUP DATABASE", "VIEW DEFINITION", "CREATE ANY DATABASE", "VIEW SERVER STATE", "VIEW ANY DATABASE"}
}

// add makes a database.
func (w *world) add(name, owner string) *fakeDB {
	w.lastID++
	d := &fakeDB{
		Name: name, ID: w.lastID, State: "ONLINE", Access: "MULTI_USER", Owner: owner, Created: fmt.Sprintf("2026-01-02T00:00:%02d", w.lastID), Fork: fmt.Sprintf("fork-%d", w.lastID),
		Tables: map[string][]string{}, LSN: 100,
		Files: []dataFile{{name, `D:\Data\` + name + `.mdf`, "D", 8 << 20}, {name + "_log", `D:\Log\` + name + `.ldf`, "L", 1 << 20}},
	}
	w.dbs[strings.ToLower(name)] = d
	return d
}

// with works on the world while nobody else does.
func (w *world) with(do func()) {
	w.mu.Lock()
	defer w.mu.Unlock()
	do()
}

func (w *world) db(name string) *fakeDB { return w.dbs[strings.ToLower(name)] }

// names lists the databases there are.
func (w *world) names() string {
	w.mu.Lock()
	defer w.mu.Unlock()
	var out []string
	for _, d := range w.dbs {
		out = append(out, d.Name)
	}
	slices.Sort(out)
	return strings.Join(out, " ")
}

func (w *world) content(name string) string {
	w.mu.Lock()
	defer w.mu.Unlock()
	if d := w.db(name); d != nil {
		return d.content()
	}
	return "none"
}

// sent lists the statements since the last call that begin so.
func (w *world) sent(prefix string) (out []string) {
	w.mu.Lock()
	defer w.mu.Unlock()
	for _, s := range w.log {
		if strings.HasPrefix(s, prefix) {
			out = append(out, s)
		}
	}
	return out
}

// revive switches the server on again: sessions are gone, what was being
// restored stays so.
func (w *world) revive() {
	w.mu.Lock()
	w.dead, w.killAt, w.steps = false, 0, 0
	clear(w.sessions)
	w.started += "'"
	w.mu.Unlock()
	w.server.Down(false)
}

// local returns the file behind a path of the server's.
func (w *world) local(path string) (string, bool) {
	rest, ok := strings.CutPrefix(path, serverSide+`\`)
	return filepath.Join(w.folder, rest), ok && !strings.ContainsAny(rest, `\/`)
}

// staged lists what lies in the exchange folder.
func (w *world) staged() (out []string) {
	entries, err := os.ReadDir(w.folder)
	if err != nil {
		w.t.Error(err)
	}
	for _, e := range entries {
		out = append(out, e.Name())
	}
	return out
}

func (w *world) access(user string) app.Access {
	return app.Access{
		Source: app.Source{ID: "till", Name: "Kassan", Kind: Kind, Settings: map[string]string{
			fieldHost: "127.0.0.1", fieldPort: strconv.Itoa(w.server.Port()), fieldUser: user, fieldDatabase: "shop",
			fieldFolder: w.folder, fieldServerFolder: serverSide,
		}},
		Secrets: app.Secrets{fieldPassword: app.NewSecret(w.logins[user].password)},
	}
}

func newConnector() *Connector {
	c := New(slog.New(slog.DiscardHandler))
	c.patience, c.appear, c.settle = 600*time.Millisecond, 200*time.Millisecond, time.Millisecond
	return c
}

// point captures the shop as the user into a folder.
func (w *world) point(user string) (dir string, stats app.Stats, next app.Marker) {
	w.t.Helper()
	capture, err := newConnector().Capture(w.t.Context(), w.access(user), "")
	if err != nil {
		w.t.Fatal(err)
	}
	dir, _ = connectortest.Collect(w.t, capture)
	return dir, capture.Stats(), capture.Next
}

func (w *world) restore(user, point string) app.Restore {
	return app.Restore{Access: w.access(user), From: os.DirFS(point)}
}

// Enter implements [tdstest.Handler].
func (w *world) Enter(session int, l tdstest.Login) *tdstest.Message {
	w.mu.Lock()
	defer w.mu.Unlock()
	if login := w.logins[l.User]; login == nil || login.password != l.Password {
		return &tdstest.Message{Number: 18456, Class: 14, Text: "Login failed for user '" + l.User + "'."}
	}
	if l.Database != "master" || l.Program != programName {
		return &tdstest.Message{Number: 4060, Class: 11, Text: fmt.Sprintf("Cannot open database %q requested by the login. The login failed.", l.Database)}
	}
	w.users[session] = l.User
	return nil
}

// Leave implements [tdstest.Handler].
func (w *world) Leave(int) {}

// die switches the server off when its time has come. It reports whether it
// did.
func (w *world) step() bool {
	w.steps++
	if w.killAt == 0 || w.steps != w.killAt {
		return w.dead
	}
	w.dead = true
	return true
}

// known is a statement and what it does.
type known struct {
	pattern *regexp.Regexp
	run     func(w *world, c call) tdstest.Answer
}

// compiled are all statements, whose patterns take their time to compile.
var compiled = sync.OnceValue(statements)

// call is a statement that was understood.
type call struct {
	m    []string // of the pattern
	args []any
	user string
	who  *fakeLogin
}

func (c call) arg(i int) string {
	s, _ := c.args[i].(string)
	return s
}

// Run implements [tdstest.Handler].
func (w *world) Run(session int, r tdstest.Request) tdstest.Answer {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.dead {
		return tdstest.Answer{Hangup: true}
	}
	w.log = append(w.log, r.SQL)
	if w.waiting != nil {
		w.mu.Unlock()
		w.waiting(r.SQL, r.Canceled)
		w.mu.Lock()
	}
	if w.meddle != nil {
		w.meddle(r.SQL)
	}
	if w.refuse != nil {
		if m := w.refuse(r.SQL); m != nil {
			return tdstest.Answer{Messages: m}
		}
	}
	if !w.after && w.step() {
		return w.off()
	}
	a := w.understand(r, w.users[session])
	if w.after && w.step() || w.dead {
		return w.off()
	}
	if w.answers != nil {
		w.answers(r.SQL, &a)
	}
	return a
}

func (w *world) off() tdstest.Answer {
	w.server.Down(true)
	return tdstest.Answer{Hangup: true}
}

func (w *world) understand(r tdstest.Request, user string) tdstest.Answer {
	for _, k := range compiled() {
		if m := k.pattern.FindStringSubmatch(r.SQL); m != nil {
			return k.run(w, call{m: m, args: r.Args, user: user, who: w.logins[user]})
		}
	}
	w.t.Errorf("unknown statement: %s", r.SQL)
	return fail(102, "Incorrect syntax near '%.40s'.", r.SQL)
}

// fail is an answer of an error, the last of several.
func fail(number int32, format string, args ...any) tdstest.Answer {
	return tdstest.Answer{Messages: []tdstest.Message{{Number: number, Class: 16, Text: fmt.Sprintf(format, args...)}}}
}

func (c call) may(right string) bool { return c.who.admin || slices.Contains(c.who.rights, right) }
