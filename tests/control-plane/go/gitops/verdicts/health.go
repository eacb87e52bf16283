package main

import (
	"context"
	"fmt"
	"time"

	lua "github.com/yuin/gopher-lua"
)

// The time that Argo CD gives a script.
const within = time.Second

// What Argo CD knows as health.
var healths = map[string]bool{
	"Healthy": true, "Progressing": true, "Degraded": true, "Suspended": true, "Missing": true, "Unknown": true,
}

// health runs a script with at most what Argo CD gives it: the object as the global obj, and the libraries base, package
// and table. Argo CD also has os.date and os.time, which a script of ours has no use for.
func health(script string, object map[string]any) (word, error) {
	if metadata, _ := object["metadata"].(map[string]any); metadata["deletionTimestamp"] != nil {
		// Argo CD asks no script about what is being deleted.
		return word{"Progressing", "Pending deletion"}, nil
	}
	state := lua.NewState(lua.Options{SkipOpenLibs: true})
	defer state.Close()
	libraries := []struct {
		name string
		open lua.LGFunction
	}{{lua.LoadLibName, lua.OpenPackage}, {lua.BaseLibName, lua.OpenBase}, {lua.TabLibName, lua.OpenTable}}
	for _, library := range libraries {
		call := lua.P{Fn: state.NewFunction(library.open), Protect: true}
		if err := state.CallByParam(call, lua.LString(library.name)); err != nil {
			return word{}, err
		}
	}
	limit, done := context.WithTimeout(context.Background(), within)
	defer done()
	state.SetContext(limit)
	state.SetGlobal("obj", value(state, object))
	if err := state.DoString(script); err != nil {
		return word{}, err
	}
	answer, isTable := state.Get(-1).(*lua.LTable)
	if !isTable {
		return word{}, fmt.Errorf("it returns a %s, not a table", state.Get(-1).Type())
	}
	found := word{lua.LVAsString(answer.RawGetString("status")), lua.LVAsString(answer.RawGetString("message"))}
	if !healths[found.Status] {
		return word{}, fmt.Errorf("it returns the status %q, which Argo CD does not know", found.Status)
	}
	return found, nil
}

// value is what Lua sees of a value of JSON.
func value(state *lua.LState, of any) lua.LValue {
	switch of := of.(type) {
	case bool:
		return lua.LBool(of)
	case string:
		return lua.LString(of)
	case int64:
		return lua.LNumber(of)
	case float64:
		return lua.LNumber(of)
	case []any:
		list := state.CreateTable(len(of), 0)
		for _, item := range of {
			list.Append(value(state, item))
		}
		return list
	case map[string]any:
		table := state.CreateTable(0, len(of))
		for name, item := range of {
			table.RawSetString(name, value(state, item))
		}
		return table
	default:
		return lua.LNil
	}
}
