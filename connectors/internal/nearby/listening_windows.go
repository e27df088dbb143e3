package nearby

import (
	"context"
	"errors"
	"strconv"
	"strings"
	"unsafe"

	"golang.org/x/sys/windows"
	"golang.org/x/sys/windows/registry"
)

// listening tells of the services that run and where they are set up to
// listen. It asks for the right to list services, which everybody has, and
// reads the registry.
func listening(ctx context.Context) Listening {
	var w Listening
	names, err := running()
	if err != nil {
		return w // then the usual ports are all there is to try
	}
	for _, name := range names {
		if ctx.Err() != nil {
			break
		}
		w.service(name)
	}
	return w
}

// service adds what a running service of that name listens on.
func (w *Listening) service(name string) {
	low := strings.ToLower(name)
	instance, named := strings.CutPrefix(low, "mssql$")
	switch {
	case low == "mssqlserver":
		w.instance("MSSQLSERVER", "")
	case named:
		instance = strings.ToUpper(instance)
		w.instance(instance, instance)
	case strings.Contains(low, "mysql") || strings.Contains(low, "mariadb"):
		file := optionOf(imagePath(name), "--defaults-file")
		for _, port := range configured([]string{file}).ports {
			w.Ports = append(w.Ports, Listener{Hosts: []string{"127.0.0.1", "::1"}, Port: port, Owner: "mysqld"})
		}
	case strings.Contains(low, "postgres"):
		if port := postgresConf(optionOf(imagePath(name), "-D") + `\postgresql.conf`); port != 0 {
			w.Ports = append(w.Ports, Listener{Hosts: []string{"127.0.0.1", "::1"}, Port: port, Owner: "postgres"})
		}
	}
}

// instance adds a SQL Server by its name; shown is what the owner knows it by,
// "" for the one without a name.
func (w *Listening) instance(name, shown string) {
	const root = `SOFTWARE\Microsoft\Microsoft SQL Server\`
	folder := registryValue(root+`Instance Names\SQL`, name)
	tcp := root + folder + `\MSSQLServer\SuperSocketNetLib\Tcp\IPAll`
	for _, key := range []string{"TcpPort", "TcpDynamicPorts"} {
		first, _, _ := strings.Cut(registryValue(tcp, key), ",")
		if port, err := strconv.ParseUint(strings.TrimSpace(first), 10, 16); err == nil && port != 0 {
			w.Ports = append(w.Ports, Listener{Hosts: []string{"127.0.0.1", "::1"}, Port: int(port), Owner: "sqlservr", Instance: shown})
			return
		}
	}
	w.Instances = append(w.Instances, shown)
}

func imagePath(service string) string {
	return registryValue(`SYSTEM\CurrentControlSet\Services\`+service, "ImagePath")
}

// registryValue reads a text from the registry, "" when it isn't there.
func registryValue(key, name string) string {
	k, err := registry.OpenKey(registry.LOCAL_MACHINE, key, registry.QUERY_VALUE)
	if err != nil {
		return ""
	}
	text, _, err := k.GetStringValue(name)
	if k.Close() != nil || err != nil {
		return ""
	}
	return text
}

// running lists the services that run.
func running() ([]string, error) {
	manager, err := windows.OpenSCManager(nil, nil, windows.SC_MANAGER_CONNECT|windows.SC_MANAGER_ENUMERATE_SERVICE)
	if err != nil {
		return nil, err
	}
	list, err := enumerate(manager)
	if e := windows.CloseServiceHandle(manager); err == nil {
		err = e
	}
	return list, err
}

func enumerate(manager windows.Handle) (names []string, err error) {
	var need, count uint32
	buf := make([]byte, 64<<10)
	for {
		err = windows.EnumServicesStatusEx(manager, windows.SC_ENUM_PROCESS_INFO, windows.SERVICE_WIN32, windows.SERVICE_ACTIVE,
			&buf[0], uint32(len(buf)), &need, &count, nil, nil)
		if err == nil {
			break
		}
		if !errors.Is(err, windows.ERROR_MORE_DATA) || need == 0 || len(buf) > 8<<20 {
			return nil, err
		}
		buf = make([]byte, len(buf)+int(need))
	}
	if count == 0 {
		return nil, nil
	}
	for _, s := range unsafe.Slice((*windows.ENUM_SERVICE_STATUS_PROCESS)(unsafe.Pointer(&buf[0])), count) {
		names = append(names, windows.UTF16PtrToString(s.ServiceName))
	}
	return names, nil
}
