// Judges Kubernetes objects as GitOps tools do. In: a list of {object, script} as JSON on standard input. Out: a list of
// what kstatus, Flux's fork of it and the Lua script say, in the same order, on standard output. Talks to nobody.
package main

import (
	"encoding/json"
	"fmt"
	"os"

	flux "github.com/fluxcd/cli-utils/pkg/kstatus/status"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"sigs.k8s.io/cli-utils/pkg/kstatus/status"
)

type question struct {
	// Kept as text: decoded by anything but Kubernetes' own decoder, a generation is a float, which kstatus refuses.
	Object json.RawMessage `json:"object"`
	Script string          `json:"script"`
}

type word struct {
	Status  string `json:"status"`
	Message string `json:"message"`
}

type verdict struct {
	Kstatus word `json:"kstatus"`
	Flux    word `json:"flux"`
	Health  word `json:"health"`
}

func main() {
	if err := run(); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func run() error {
	var questions []question
	if err := json.NewDecoder(os.Stdin).Decode(&questions); err != nil {
		return fmt.Errorf("failed to read the questions: %w", err)
	}
	verdicts := make([]verdict, 0, len(questions))
	for place, question := range questions {
		verdict, err := judge(question)
		if err != nil {
			return fmt.Errorf("object %d: %w", place, err)
		}
		verdicts = append(verdicts, verdict)
	}
	return json.NewEncoder(os.Stdout).Encode(verdicts)
}

func judge(asked question) (verdict, error) {
	object := &unstructured.Unstructured{}
	if err := object.UnmarshalJSON(asked.Object); err != nil {
		return verdict{}, err
	}
	upstream, err := status.Compute(object)
	if err != nil {
		return verdict{}, fmt.Errorf("kstatus: %w", err)
	}
	fork, err := flux.Compute(object)
	if err != nil {
		return verdict{}, fmt.Errorf("Flux's kstatus: %w", err)
	}
	found, err := health(asked.Script, object.Object)
	if err != nil {
		return verdict{}, fmt.Errorf("health script: %w", err)
	}
	return verdict{
		Kstatus: word{string(upstream.Status), upstream.Message},
		Flux:    word{string(fork.Status), fork.Message},
		Health:  found,
	}, nil
}
