//! Prints every definition as a stream of JSON documents.

fn main() -> Result<(), serde_json::Error> {
    for definition in azureml_crds::all()? {
        println!("{}", serde_json::to_string(&definition)?);
    }
    Ok(())
}
