package main

import (
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"kvart/app"
	"kvart/app/ipc"
	"kvart/assets"
)

// stdio is where a command reads and prints.
type stdio struct {
	in       io.Reader
	out, err io.Writer
}

// Exit codes.
const (
	exitDone   = 0
	exitFailed = 1
	exitUsage  = 2
	// exitNoKit is for whoever calls "uninstall --forget-secrets" where nobody
	// holds a recovery kit that opens the backups: an installer can ask, and call
	// again with --without-kit.
	exitNoKit = 3
)

// command is one call of a verb.
type command struct {
	stdio
	json  bool
	data  string
	args  []string // what is not a flag
	words *assets.Words
	flags *flag.FlagSet
}

// verb is one thing kvart-agent does.
type verb struct {
	name  string // "vault create"
	usage string // what follows the name
	about string
	// setup registers flags and returns the work.
	setup func(c *command) func(context.Context) error
}

func verbs() []verb {
	return []verb{
		{"run", "[--no-tray] [--open]", "be the guard: back up every quarter", setupRun},
		{"vault storages", "", "where backups can lie, and what each kind asks for", setupVaultStorages},
		{"vault probe", "--storage KIND [--set key=value]… [--secret key=FILE]…", "prove a storage, and leave nothing to be seen there", setupVaultProbe},
		{"vault create", "--storage KIND [--set key=value]… [--secret key=FILE]… --passphrase-file F [--shop NAME] [--accept-compliance]", "make a vault", setupVaultCreate},
		{"vault open", "--kit FILE | --invitation FILE --code-file F | --storage KIND [--set key=value]… [--secret key=FILE]… --passphrase-file F [--replaces COMPUTER|none] [--at TIME]", "use an existing vault; brings sources back", setupVaultOpen},
		{"vault status", "", "where the vault lies and how it stands", setupVaultStatus},
		{"vault verify", "[--percent N] [POINT]…", "read backups back", setupVaultVerify},
		{"vault maintain", "", "expire old backups, free storage", setupVaultMaintain},
		{"vault check", "", "read on through everything stored, where the last check ended", setupVaultCheck},
		{"vault repair", "", "mend what is damaged, from copies or from the sources", setupVaultRepair},
		{"vault lock", "", "try whether what is locked can be deleted", setupVaultLock},
		{"vault rewind", "--yes", "after vault open --at: make the storage so again, for good", setupVaultRewind},
		{"vault password", "--new-passphrase-file F", "change the passphrase; the recovery kit is void then", setupVaultPassword},
		{"vault keep", "[--latest N] [--hourly N] [--daily N] [--weekly N] [--monthly N]", "how long backups are kept", setupVaultKeep},
		{"kit", "[--out FILE.pdf] [--text FILE.txt] [--overwrite]", "make a recovery kit", setupKit},
		{"kit confirm", "CODE", "type back the code at the end of the newest kit", setupKitConfirm},
		{"copy add", "--name N --storage KIND [--set key=value]… [--secret key=FILE]…", "keep a second copy of the vault elsewhere", setupCopyAdd},
		{"copy list", "", "second copies, and how they stand", setupCopyList},
		{"copy now", "[NAME]…", "bring second copies in step, and wait", setupCopyNow},
		{"copy remove", "NAME", "keep a copy in step no longer; what lies there stays", setupCopyRemove},
		{"computer list", "", "the computers that share the vault", setupComputerList},
		{"computer invite", "--out FILE", "let another computer of the shop join", setupComputerInvite},
		{"computer use", "", "back up from this computer again, after another took its place", setupComputerUse},
		{"source discover", "", "find databases and folders on this computer", setupSourceDiscover},
		{"source list", "", "what is protected", setupSourceList},
		{"source add", "KIND --name N [--set key=value]… [--secret key=FILE]… [--admin USER --secret admin_password=FILE]", "protect something more; an administrator of its server makes a user that may only read", setupSourceAdd},
		{"source change", "N [--set key=value]… [--secret key=FILE]… [--admin USER --secret admin_password=FILE [--restoring]] [--name N] [--every D] [--quiet FROM-TO | off] [--pause | --pause-until TIME | --resume]", "other settings, or secrets given anew, another name, or when it is backed up; with --restoring the user may also put things back, until it is changed without", setupSourceChange},
		{"source rights", "N | --kind KIND [--set key=value]… [--secret key=FILE]…", "what the user of a database may do, and how to make one that may only read", setupSourceRights},
		{"source approve", "KIND --set url=ADDRESS", "the page on which the owner lets Kvart into an online shop, with the browser", setupSourceApprove},
		{"source remove", "N", "stop protecting; its backups stay", setupSourceRemove},
		{"source check", "N | --kind KIND [--set key=value]… [--secret key=FILE]…", "prove access to a source, also to one that is not set up", setupSourceCheck},
		{"backup", "[--source N]…", "back up now, and wait", setupBackup},
		{"points", "[--source N] [--since T] [--safety]", "which backups there are", setupPoints},
		{"ls", "--source N [--point P] [PATH]", "what a backup holds", setupList},
		{"cat", "--source N [--point P] PATH", "print a file of a backup", setupCat},
		{"browse", "--source N [--point P] [SHELF [TEXT] [--from N] [--limit N]] [--record PATH [--with P2|live]]", "a backup as you think of it: products, orders, tables and their rows", setupBrowse},
		{"export", "--source N [--point P] products|orders|customers --out FILE.csv [--overwrite]", "a shop's records as a table, for the shop's own import or for people", setupExport},
		{"diff", "--source N [--point P] [--with P2|live]", "compare a backup with another, or with now", setupDiff},
		{"restore", "[--source N]… [--point P|--at TIME] [--path SUB]… [--to DIR|--to-database NAME] [--plan] [--yes]", "bring back", setupRestore},
		{"undo", "[RESTORE]", "take a restore back", setupUndo},
		{"drill", "[--source N]… [--history]", "prove that backups can be restored", setupDrill},
		{"find", "NAME --source N [--since T] [--limit N]", "which backups still had it", setupFind},
		{"candidates", "--source N [--before TIME]", "which backups could be brought back, and what helps to choose", setupCandidates},
		{"incident start", "PLAYBOOK [--source N]… [--path SUB]… [--point P] [--before TIME] [--note TEXT] [--no-wait]", "something is wrong: begin, with one of " + playbookChoices(), setupIncidentStart},
		{"incident show", "", "the open incident: its clock and its steps", setupIncidentShow},
		{"incident tick", "STEP [--skip REASON | --failed REASON | --undo] [--source N]… [--path SUB]… [--point P] [--before TIME] [--even-infected] [--no-wait]", "a step is done", setupIncidentTick},
		{"incident close", "", "it is over", setupIncidentClose},
		{"incident list", "", "this incident and those before it", setupIncidentList},
		{"incident report", "--out FILE.pdf|FILE.md [--incident ID] [--language en|sv]", "what happened, when, and what was done", setupIncidentReport},
		{"incident messages", "[--language en|sv]", "texts for customers, host and authorities", setupIncidentMessages},
		{"incident playbooks", "", "what would be done, to read or print beforehand", setupIncidentPlaybooks},
		{"incident checklist", "PLAYBOOK --out FILE.pdf|FILE.md [--language en|sv]", "a playbook with the shop's contacts, to print and tick with a pen", setupIncidentChecklist},
		{"page", "[--set key=value]… [--out FILE] [--publish SOURCE]… [--withdraw SOURCE]…", "the page that says the shop will be back soon", setupPage},
		{"contacts", "[--from FILE.json]", "whom to call on a bad day", setupContacts},
		{"watch show", "", "what is watched, how the shop has been up, what is asked, the next peak days", setupWatchShow},
		{"watch set", "[--shop URL|off] [--word W] [--channel NAME --kind mail|ntfy|slack|webhook …] [--secret key=FILE]… [--canary N]… [--country C] [--day NAME=DAY]… [--peak-pace on|off] [--domain on|off]", "watch the shop, and be alerted away from this computer", setupWatchSet},
		{"watch test", "[CHANNEL]…", "look at the shop now, or send a test alert", setupWatchTest},
		{"ready", "", "how ready the shop is for its next peak day, and what is left to do", setupReady},
		{"capacity prove", "", "show that the watched shop is yours, on your own hosting", setupCapacityProve},
		{"capacity start", "--agree [--ceiling N]", "send visitors to your own shop in steps, until it is slow; stops by itself", setupCapacityStart},
		{"capacity result", "[--out FILE.pdf|FILE.md] [--language en|sv]", "how many visitors the shop stood, to send to the host", setupCapacityResult},
		{"answer", "yes|no [--source N]", "was an unusual change yours", setupAnswer},
		{"update check", "", "is there a newer version, where a feed is set", setupUpdateCheck},
		{"update download", "", "fetch it and prove it; nothing is installed", setupUpdateDownload},
		{"update set", "--feed URL --key KEY | --feed off", "where to look for newer versions", setupUpdateSet},
		{"status", "", "is the shop safe", setupStatus},
		{"uninstall", "[--keep | --forget-secrets [--without-kit]] --yes", "before the programs are removed: end the guard and start at login; backups stay", setupUninstall},
		{"quit", "", "end the guard that runs, once it has come to the end of what it does", setupQuit},
		{"support", "[--out FILE.zip]", "what somebody who helps needs to see, without secrets, names and addresses", setupSupport},
		{"pause", "MINUTES | off", "stop backing up for a while", setupPause},
	}
}

// run does what the arguments say and returns the exit code.
func run(ctx context.Context, args []string, io stdio) int {
	c := &command{stdio: io}
	words, err := assets.NewWords("")
	if err != nil {
		fmt.Fprintln(io.err, err)
		return exitFailed
	}
	c.words = words
	v, rest, ok := pickVerb(args)
	if !ok {
		return c.wrongVerb(args)
	}
	c.flags = flag.NewFlagSet(v.name, flag.ContinueOnError)
	c.flags.SetOutput(io.err)
	c.flags.BoolVar(&c.json, "json", false, "print one JSON document")
	c.flags.StringVar(&c.data, "data", "", "state folder (default: KVART_DATA, or the system's own place)")
	c.flags.Usage = func() {
		fmt.Fprintf(io.err, "kvart-agent %s %s\n  %s\n", v.name, v.usage, v.about)
		c.flags.PrintDefaults()
	}
	work := v.setup(c)
	if err := c.parse(rest); err != nil {
		if errors.Is(err, flag.ErrHelp) {
			return exitDone
		}
		c.json = c.json || wantsJSON(rest)
		return c.exit(app.Errorf(app.CodeUsage, "read flags", "%w", err))
	}
	if c.data == "" {
		if c.data, err = ipc.DefaultData(); err != nil {
			return c.exit(err)
		}
	}
	return c.exit(work(ctx))
}

// wantsJSON reports whether arguments that could not be read ask for JSON.
func wantsJSON(args []string) bool {
	return slices.Contains(args, "--json") || slices.Contains(args, "-json")
}

// pickVerb finds the verb that args begin with; the longest name wins.
func pickVerb(args []string) (verb, []string, bool) {
	for _, n := range []int{2, 1} {
		if len(args) < n {
			continue
		}
		for _, v := range verbs() {
			if v.name == strings.Join(args[:n], " ") {
				return v, args[n:], true
			}
		}
	}
	return verb{}, nil, false
}

func (c *command) wrongVerb(args []string) int {
	c.json = wantsJSON(args)
	if len(args) > 0 && (args[0] == "--version" || args[0] == "version") {
		fmt.Fprintln(c.out, "kvart-agent", app.Version)
		return exitDone
	}
	help := len(args) > 0 && (args[0] == "help" || args[0] == "--help" || args[0] == "-h")
	w := c.err
	if help {
		w = c.out
	}
	if !c.json || help {
		fmt.Fprintln(w, "kvart-agent VERB [--json] [--data DIR] …")
		for _, v := range verbs() {
			fmt.Fprintf(w, "  %-16s %s\n%20s%s\n", v.name, v.usage, "", v.about)
		}
	}
	if help {
		return exitDone
	}
	var names []string
	for _, v := range verbs() {
		names = append(names, v.name)
	}
	return c.exit(app.Errorf(app.CodeUsage, "choose verb", "no verb %q", strings.Join(args, " ")).With("choices", strings.Join(names, ", ")))
}

// parse reads flags and arguments in any order.
func (c *command) parse(args []string) error {
	for {
		if err := c.flags.Parse(args); err != nil {
			return err
		}
		args = c.flags.Args()
		if len(args) == 0 {
			return nil
		}
		c.args = append(c.args, args[0])
		args = args[1:]
	}
}

// exit prints an error, if there is one, and returns the exit code.
func (c *command) exit(err error) int {
	if err == nil {
		return exitDone
	}
	e := app.AsError(err)
	title, meaning, next := assets.ErrorWords(c.words, e)
	if alreadyPrinted(err) {
		fmt.Fprintln(c.err, title)
	} else if c.json {
		c.print(map[string]any{"error": map[string]any{"code": e.Code, "message": title, "meaning": meaning, "hint": hint(next, e)}})
	} else {
		fmt.Fprintf(c.err, "%s\n%s\n%s\n", title, meaning, hint(next, e))
	}
	fmt.Fprintf(c.err, "(%s: %v)\n", e.Code, err)
	switch e.Code {
	case app.CodeUsage:
		return exitUsage
	case app.CodeKitNeeded:
		return exitNoKit
	}
	return exitFailed
}

// hint is the next step, with the choices where the error was a wrong one.
func hint(next string, e *app.Error) string {
	if key := e.Args["host_key"]; key != "" && e.Code == app.CodeHostKeyUnknown {
		return next + " (--set host_key='" + key + "')"
	}
	if s := e.Args["statement"]; s != "" {
		return next + "\n" + s
	}
	if c := e.Args["choices"]; c != "" && !strings.Contains(next, c) {
		return next + " (" + c + ")"
	}
	return next
}

// print writes a document to stdout.
func (c *command) print(v any) {
	e := json.NewEncoder(c.out)
	e.SetEscapeHTML(false)
	if !isTerminal(c.out) {
		_ = e.Encode(v) // a closed pipe has nobody to tell
		return
	}
	e.SetIndent("", "  ")
	_ = e.Encode(v)
}

func isTerminal(w io.Writer) bool {
	f, ok := w.(*os.File)
	if !ok {
		return false
	}
	info, err := f.Stat()
	return err == nil && info.Mode()&os.ModeCharDevice != 0
}

// line prints a line for a person; nothing with --json.
func (c *command) line(format string, args ...any) {
	if !c.json {
		fmt.Fprintf(c.out, format+"\n", args...)
	}
}

// list is a flag that may be given several times.
type list []string

func (l *list) String() string { return strings.Join(*l, ",") }

// Set implements [flag.Value].
func (l *list) Set(s string) error {
	*l = append(*l, s)
	return nil
}

// pairs is a key=value flag that may be given several times.
type pairs map[string]string

func (p pairs) String() string { return "" }

// Set implements [flag.Value].
func (p pairs) Set(s string) error {
	k, v, ok := strings.Cut(s, "=")
	if !ok || k == "" {
		return fmt.Errorf("%q is not key=value", s)
	}
	p[k] = v
	return nil
}

// absolute makes the paths among settings absolute: the guard that uses them
// has another working folder than this command.
func (p pairs) absolute(specs []app.KindSpec, kind app.Kind) error {
	for _, spec := range specs {
		if spec.Kind != kind {
			continue
		}
		for _, f := range spec.Fields {
			if f.Type != app.FieldFile && f.Type != app.FieldFolder || p[f.Key] == "" {
				continue
			}
			abs, err := filepath.Abs(p[f.Key])
			if err != nil {
				return app.Errorf(app.CodeUsage, "read flags", "%w", err).With("field", f.Key)
			}
			p[f.Key] = abs
		}
	}
	return nil
}

// secretsFrom reads secrets from files; the last line end is not part of one.
func secretsFrom(files pairs) (app.Secrets, error) {
	out := app.Secrets{}
	for k, f := range files {
		b, err := os.ReadFile(f)
		if err != nil {
			return nil, app.Errorf(app.CodeUsage, "read secret", "%w", err).With("field", k).With("path", f)
		}
		out[k] = app.NewSecret(strings.TrimRight(string(b), "\r\n"))
	}
	return out, nil
}
