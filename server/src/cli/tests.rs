use super::*;

#[test]
fn the_command_line_is_sound() {
    use clap::CommandFactory;
    Cli::command().debug_assert();
}

#[test]
fn without_a_command_it_serves_and_config_may_stand_anywhere() {
    assert!(Cli::try_parse_from(["nazorg"]).unwrap().command.is_none());
    let cli = Cli::try_parse_from(["nazorg", "migrate", "--config", "x.toml"]).unwrap();
    assert_eq!(cli.config.unwrap().to_str(), Some("x.toml"));
}
