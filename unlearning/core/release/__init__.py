"""What must hold before an unlearned version is shown to anybody; pure rules with sentences."""
